// Which events bring mentions: those that show the merge request to reviewers for the first time, or anew.
import type { GitLabEvent, MergeRequest } from '#shared/event/event.ts'

/** Why `event` brings no mentions, whoever is listed; undefined when it may. */
export function whyNobody({ action }: GitLabEvent, mergeRequest: MergeRequest, mentionDrafts: boolean): string | undefined {
  if (action === undefined) return 'no action: a test delivery'
  if (mergeRequest.system) return 'made by GitLab itself, not by a person'
  if (mergeRequest.state !== undefined && mergeRequest.state !== 'opened') return `the merge request is ${mergeRequest.state}`
  if (mergeRequest.draft && !mentionDrafts) return 'the merge request is a draft'
  if (action === 'open' || action === 'reopen') return undefined
  if (action !== 'update') return `action ${action} brings no mentions`
  if (mergeRequest.oldrev !== undefined || mergeRequest.changes.target_branch || becameReady(mergeRequest)) return undefined
  return 'the update changed neither the code nor the target, nor made it ready'
}

const draftTitle = /^\s*(\[draft\]|\(draft\)|draft:|wip:|\[wip\])/i

// Newer GitLabs say it in `draft`, older ones in `work_in_progress` or only in the title.
function becameReady({ changes }: MergeRequest): boolean {
  const { draft, work_in_progress: wip, title } = changes
  for (const change of [draft, wip]) if (change) return change.previous === true && change.current === false
  return title !== undefined && draftTitle.test(String(title.previous)) && !draftTitle.test(String(title.current))
}

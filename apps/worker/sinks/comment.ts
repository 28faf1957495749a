// The comment on a task, in Remarkup. Its first line is the only live markup; everything foreign that could be more than
// a word stands in a literal block.
import type { GitLabEvent, MergeRequest } from '#shared/event.ts'
import { literal } from './one-line.ts'

const verbs: Record<string, string> = { open: 'opened', reopen: 'reopened', close: 'closed', merge: 'merged', update: 'updated' }

/**
 * The text of the comment that `event` brings. Of a project that is not public only the first line is told.
 * `gitlabUrl` serves where the event has no address of the merge request, or one that is more than an address.
 */
export function commentOn({ username, action, visibility }: GitLabEvent, mergeRequest: MergeRequest, gitlabUrl: string): string {
  const { url, projectPath, iid, targetBranch, title } = mergeRequest
  const address = url ?? `${gitlabUrl}/${encodeURI(projectPath)}/-/merge_requests/${iid}`
  const line = `${person(username)} ${verbs[action ?? ''] ?? 'updated'} ${address}`
  if (visibility !== 'public') return line
  return `${line}\n\n%%%[${literal(projectPath)}@${literal(targetBranch)}] ${literal(title)}%%%`
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

const gitlabName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/
const markup = /\b[A-Za-z](?=\d)|\br(?=[A-Z])|([-_~/*])(?=\1)/g
const wordJoiner = '\u2060'

// A user may be called T123, or __x__, which Remarkup would make more of. An invisible joint between its letters leaves
// it readable and means nothing.
function person(username: string | undefined): string {
  return username !== undefined && gitlabName.test(username) ? username.replaceAll(markup, `$&${wordJoiner}`) : 'Somebody'
}

// Comments on Phabricator tasks that a merge request names in `Bug: T12345` lines: of its description here, of its
// commits' messages in `commits.ts`, which ends in effects of this sink.
import { z } from 'zod'
import { nothing, nothingDone, onlyWould, type PlannedEffect } from '#shared/event/effect.ts'
import type { GitLabEvent, MergeRequest } from '#shared/event/event.ts'
import { clocksDifferMs } from '#shared/event/time.ts'
import { gitlabAddress } from '#sinks/gitlab/variables.ts'
import { defineSink } from '#sinks/sink.ts'
import { nearMiss, tasksIn } from './bug-lines.ts'
import { addressIn, commentOn } from './comment.ts'
import { openConduit } from './conduit.ts'
import { checkPhabricator } from './doctor.ts'
import { notSet, openReview } from './review.ts'
import { phabricatorRemote, phabricatorVariables, reviewVariables } from './variables.ts'

const dataSchema = z.object({
  task: z.number(),
  text: z.string(),
  unlessNamed: z.boolean().optional(),
  ended: z.boolean().optional(),
})

/**
 * What a comment on a task needs to be known of it. `unlessNamed`: only where the merge request was not named before. `ended`:
 * that is merged or closed, whatever the comment says.
 */
type Data = z.output<typeof dataSchema>

/** The lane in which the commits are read of the merge request whose comments are in the lane `order`. */
const commitsOrder = (order: string) => order.split(' ')[0] ?? ''

/** The effects that put `text` on each of the `tasks` that the merge request names. */
export function commentEffects(
  text: string,
  mergeRequest: Pick<MergeRequest, 'projectId' | 'iid' | 'action' | 'state'>,
  tasks: number[],
): PlannedEffect[] {
  const unlessNamed = mergeRequest.action === 'update'
  const ended = unlessNamed && (mergeRequest.state === 'merged' || mergeRequest.state === 'closed')
  return tasks.map((task): PlannedEffect & { data: Data } => ({
    sink: 'phabricator',
    about: `T${task}`,
    order: `${mergeRequest.projectId}!${mergeRequest.iid} T${task}`,
    after: { sink: 'commits', order: `${mergeRequest.projectId}!${mergeRequest.iid}` },
    data: { task, text, ...(unlessNamed && { unlessNamed }), ...(ended && { ended }) },
  }))
}

/** Comments through Conduit at `PHABRICATOR_URL`, which also serves for links and for task URLs in `Bug:` lines. */
export const phabricator = defineSink({
  name: 'phabricator',
  byDefault: true,
  makes: 'comment',
  variables: { ...phabricatorVariables, ...reviewVariables, ...gitlabAddress },
  remotes: [phabricatorRemote],
  repeat: 'look',
  order: 'lane',
  waitsFor: { sink: 'commits', order: commitsOrder, known: 'which tasks the commits of an earlier event name' },
  data: dataSchema,

  open({
    settings: { PHABRICATOR_URL: url, PHABRICATOR_TOKEN: token, GITLAB_URL: gitlabUrl, PHABRICATOR_REVIEW_PROJECT: named },
    redact,
    log,
  }) {
    const conduit = openConduit({ url, token, redact })
    return { conduit, url, gitlabUrl, review: named === undefined ? undefined : openReview({ conduit, named, log }) }
  },

  // What one comment finds out about the others on its task must still be so when it is made.
  alone: ({ task }, { review }) => review && `T${task}`,

  plan(event, { url, gitlabUrl }) {
    const { mergeRequest } = event
    const reason = whyNot(event)
    if (reason !== undefined || !mergeRequest) return nothing(reason ?? unnamed)
    const named = tasksIn(mergeRequest.description, url)
    const tasks = mergeRequest.action === 'update' ? newTasks(mergeRequest, named, url) : named
    if (tasks.length > 0) return commentEffects(commentOn(event, mergeRequest, gitlabUrl), mergeRequest, tasks)
    if (named.length > 0) return nothing('the update brings no task that was not named before')
    const miss = nearMiss(mergeRequest.description, url)
    return nothing(`no \`Bug:\` line in the description${miss === undefined ? '' : `: ${miss}`}`)
  },

  // A task may have been named by a commit, which only GitLab can tell; the comment is the same wherever it was named.
  replan(event, about, { gitlabUrl }) {
    const { mergeRequest } = event
    const task = Number(/^T(\d+)$/.exec(about)?.[1])
    if (!mergeRequest || Number.isNaN(task)) return nothing(unnamed)
    return commentEffects(commentOn(event, mergeRequest, gitlabUrl), mergeRequest, [task])
  },

  async perform({ task, text, unlessNamed, ended }, context, { conduit, url, review }) {
    const { history, since, signal, made, madeForOthers, fence, dryRun } = context
    const link = `${url}/T${task}`
    if (made !== undefined) return { state: 'done', link, made }
    const isSearched = history !== 'new' || unlessNamed === true
    const isWhole = unlessNamed === true || review !== undefined
    const own = isSearched || isWhole ? await conduit.ownComments(task, isWhole ? new Date(0) : earliest(since), signal) : []
    if (isSearched) {
      const others = await madeForOthers()
      const mine = own.find((comment) => comment.text === text && comment.at >= earliest(since) && !others.has(comment.phid))
      const reason = mine && (await review?.cameWith(mine, signal))
      if (mine) return { state: 'done', link, made: mine.phid, ...(reason !== undefined && { reason }) }
      if (unlessNamed === true && own.some((comment) => addressIn(comment.text) === addressIn(text))) {
        return nothingDone(`T${task} was named by this merge request before`)
      }
    }
    const change = await review?.changeWith({ task, text, ended }, own, signal)
    if (dryRun) return onlyWould(`comment on T${task}${change ? `; ${change.words}` : ''}`)
    if (!review || !change) return { state: 'done', link, made: await conduit.comment(task, text, signal, fence) }
    return { state: 'done', link, ...(await review.comment({ task, text }, change, signal, fence)) }
  },

  wouldDo: ({ task }) => `comment on T${task}`,
  check: { id: 'phabricator', ask: checkPhabricator, remedy: 'see that PHABRICATOR_URL is right, and reached from here' },
  shortfalls: [notSet],
})

export const unnamed = 'it does not say which merge request it is about'
const acted = new Set(['open', 'reopen', 'close', 'merge', 'update'])

/** Why an event brings no comments, whatever it names; undefined when it may. */
export function whyNot({ kind, action, mergeRequest }: GitLabEvent): string | undefined {
  if (kind !== 'merge_request') return 'not about a merge request'
  if (!mergeRequest) return unnamed
  if (action === undefined) return 'no action: a test delivery'
  if (mergeRequest.system) return 'made by GitLab itself, not by a person'
  return acted.has(action) ? undefined : `action ${action} brings no comment`
}

function newTasks({ changes }: MergeRequest, named: number[], url: string): number[] {
  const { description } = changes
  if (!description) return []
  const before = new Set(tasksIn(typeof description.previous === 'string' ? description.previous : '', url))
  return named.filter((task) => !before.has(task))
}

// The clocks of GitLab and Phabricator may differ; what belongs to other events of that minute is in the ledger.
function earliest(since: Date): Date {
  return new Date(since.getTime() - clocksDifferMs)
}

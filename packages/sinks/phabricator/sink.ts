// Comments on Phabricator tasks that a merge request names in `Bug: T12345` lines: of its description here, of its
// commits' messages in `commits.ts`, which ends in effects of this sink.
import { z } from 'zod'
import { nothing, nothingDone, onlyWould, type PlannedEffect } from '#shared/event/effect.ts'
import type { GitLabEvent, MergeRequest } from '#shared/event/event.ts'
import { type Sink, sink } from '#sinks/sink.ts'
import { tasksIn } from './bug-lines.ts'
import { commentOn, firstLine } from './comment.ts'
import type { Conduit } from './conduit.ts'

const dataSchema = z.object({ task: z.number(), text: z.string(), unlessNamed: z.boolean().optional() })

/** What a comment on a task needs to be known of it. `unlessNamed`: only where the merge request was not named before. */
type Data = z.output<typeof dataSchema>

/** The effects that put `text` on each of the `tasks` that the merge request names. */
export function commentEffects(
  text: string,
  mergeRequest: Pick<MergeRequest, 'projectId' | 'iid' | 'action'>,
  tasks: number[],
): PlannedEffect[] {
  const unlessNamed = mergeRequest.action === 'update'
  return tasks.map((task): PlannedEffect & { data: Data } => ({
    sink: 'phabricator',
    about: `T${task}`,
    order: `${mergeRequest.projectId}!${mergeRequest.iid} T${task}`,
    after: { sink: 'commits', order: `${mergeRequest.projectId}!${mergeRequest.iid}` },
    data: { task, text, ...(unlessNamed && { unlessNamed }) },
  }))
}

type Parts = { conduit: Conduit; url: string; gitlabUrl: string; dryRun: boolean }

/** The sink that comments through `conduit`; `url` is the Phabricator's, for links and for task URLs in `Bug:` lines. */
export function phabricator({ conduit, url, gitlabUrl, dryRun }: Parts): Sink {
  return sink<Data>({
    data: dataSchema,

    plan(event) {
      const { mergeRequest } = event
      const reason = whyNot(event)
      if (reason !== undefined || !mergeRequest) return nothing(reason ?? unnamed)
      const named = tasksIn(mergeRequest.description, url)
      const tasks = mergeRequest.action === 'update' ? newTasks(mergeRequest, named, url) : named
      if (tasks.length > 0) return commentEffects(commentOn(event, mergeRequest, gitlabUrl), mergeRequest, tasks)
      return nothing(named.length > 0 ? 'the update brings no task that was not named before' : 'no `Bug:` line in the description')
    },

    async perform({ task, text, unlessNamed }, { first, since, signal, made, madeForOthers, fence }) {
      const link = `${url}/T${task}`
      if (made !== undefined) return { state: 'done', link, made }
      if (!first || unlessNamed === true) {
        const own = await conduit.ownComments(task, unlessNamed === true ? new Date(0) : earliest(since), signal)
        const others = await madeForOthers()
        const mine = own.find((comment) => comment.text === text && comment.at >= earliest(since) && !others.has(comment.phid))
        if (mine) return { state: 'done', link, made: mine.phid }
        if (unlessNamed === true && own.some((comment) => firstLine(comment.text).endsWith(` ${addressIn(text)}`))) {
          return nothingDone(`T${task} was named by this merge request before`)
        }
      }
      if (dryRun) return onlyWould(`comment on T${task}`)
      return { state: 'done', link, made: await conduit.comment(task, text, signal, fence) }
    },
  })
}

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

// The clocks of GitLab and Phabricator may differ; what belongs to other events of these sixty seconds is in the ledger.
const clockMargin = 60_000

function earliest(since: Date): Date {
  return new Date(since.getTime() - clockMargin)
}

function addressIn(text: string): string {
  return firstLine(text).split(' ').at(-1) ?? ''
}

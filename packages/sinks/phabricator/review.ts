// The project that stands on a task while merge requests that name it are open. What is open is told by the remote alone: by
// the first lines of our own comments on the task. Other programs read these lines, too.
import { inWords, Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import type { Fence } from '#sinks/fence.ts'
import { cached } from '#sinks/http/cache.ts'
import type { Shortfall } from '#sinks/shortfall.ts'
import { MayNotEdit } from './api.ts'
import { addressIn, verbIn } from './comment.ts'
import type { Conduit, OwnComment, Project, ProjectEdit } from './conduit.ts'

/** A comment that is due; `ended`: its merge request is not open any more, whatever the comment says. */
type Due = { task: number; text: string; ended?: boolean | undefined }
/** What is changed about the project with a comment, if anything is, and what is said of that. */
export type Change = { edit?: ProjectEdit; words: string }

export type Review = {
  /** What is to be changed with a comment on a task where ours so far are `own`, newest first. */
  changeWith: (comment: Due, own: OwnComment[], signal: AbortSignal) => Promise<Change>
  /** Comments, with that change in the same edit or, where we may not edit the task, without; the comment's PHID and what is said. */
  comment: (comment: Due, change: Change, signal: AbortSignal, fence: Fence) => Promise<{ made: string; reason: string }>
  /** What a comment that was made already came with. */
  cameWith: (comment: OwnComment, signal: AbortSignal) => Promise<string | undefined>
}

/** Keeps the project that is `named` by name, `#slug` or PHID. Throws what Conduit does. */
export function openReview({ conduit, named, log }: { conduit: Conduit; named: string; log: Log }): Review {
  const find = cached(conduit.project)
  let found: Project | undefined
  const said = new Set<string>()

  function sayOnce(words: string, reason: string): void {
    if (!said.has(words)) log.warn({ project: named, reason }, words)
    said.add(words)
  }

  // A project that cannot be found costs nobody a comment.
  async function projectNow(signal: AbortSignal): Promise<Project | undefined> {
    try {
      found ??= await find(named, signal)
    } catch (error) {
      if (error instanceof Unavailable || error instanceof Refused || signal.aborted) throw error
      sayOnce('the review project could not be looked up', inWords(error))
    }
    return found
  }

  async function changeAtEnd({ task, text }: Due, { phid, name }: Project, own: OwnComment[], signal: AbortSignal): Promise<Change> {
    const others = Map.groupBy(own.toReversed(), (comment) => addressIn(comment.text))
    others.delete(addressIn(text))
    const open = [...others].find(([, comments]) => isOpen(comments.map((comment) => verbIn(comment.text))))
    if (open) return { words: `${name} stays: ${open[0]} is open` }
    const last = await conduit.lastChange(task, phid, signal).catch(unlessPermanent)
    if (last === 'not to be seen') return { words: `${name} stays: the history of the task cannot be read to see who added it` }
    if (last?.operation === 'remove') return { words: `${name} has been taken off before` }
    if (last?.isOurs !== true) return { words: `${name} is left as it is: it was not added by us` }
    return { edit: { type: 'projects.remove', phid }, words: `${name} is taken off: no other merge request is open` }
  }

  return {
    async changeWith(comment, own, signal) {
      const project = await projectNow(signal)
      if (!project) {
        sayOnce('there is no such review project', 'it does not exist, or may not be seen')
        return { words: `the review project ${named} does not exist, or may not be seen` }
      }
      const verb = verbIn(comment.text)
      if (verb === 'merged' || verb === 'closed') return await changeAtEnd(comment, project, own, signal)
      const verbs = own.flatMap(({ text }) => (addressIn(text) === addressIn(comment.text) ? [verbIn(text)] : [])).reverse()
      if (comment.ended === true || !isOpen([...verbs, verb]))
        return { words: `${project.name} is not added: the merge request is open no more` }
      return { edit: { type: 'projects.add', phid: project.phid }, words: `${project.name} is on the task` }
    },

    async comment({ task, text }, { edit, words }, signal, fence) {
      try {
        return { made: await conduit.comment(task, text, signal, fence, edit), reason: words }
      } catch (error) {
        if (!edit || !(error instanceof MayNotEdit)) throw error
        sayOnce(mayNot, error.message)
        return { made: await conduit.comment(task, text, signal, fence), reason: `${mayNot}: the bot may not edit T${task}` }
      }
    },

    async cameWith({ projects }, signal) {
      const project = await projectNow(signal)
      const change = projects.find(({ phid }) => phid === project?.phid)
      return change && project && (change.operation === 'add' ? `${project.name} was added` : `${project.name} was taken off`)
    },
  }
}

const mayNot = 'the review project could not be set'
export const notSet: Shortfall = {
  name: 'review_project_not_set',
  id: 'phabricator',
  state: 'done',
  begins: mayNot,
  remedy: 'let the bot edit these tasks; until then they get their comments only',
}

// Of a merge request of which we said this, oldest first. Nothing comes after a merge; an opening that comes after something
// else was late.
function isOpen(verbs: Array<string | undefined>): boolean {
  const last = verbs.filter((verb, index) => verb !== undefined && (verb !== 'opened' || index === 0)).at(-1)
  return last !== undefined && last !== 'closed' && !verbs.includes('merged')
}

function unlessPermanent(error: unknown): 'not to be seen' {
  if (error instanceof Permanent) return 'not to be seen'
  throw error
}

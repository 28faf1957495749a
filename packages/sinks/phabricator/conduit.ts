// The few calls to Phabricator that comments need. Nothing in them is idempotent and a time-out says nothing, so own comments
// can be looked up.
import { z } from 'zod'
import { Permanent } from '#shared/process/errors.ts'
import { madeOf, type Secret } from '#shared/process/secret.ts'
import type { Fence } from '#sinks/fence.ts'
import { openConduitApi } from './api.ts'

/** `projects`: what the same edit changed about the projects of the task. */
export type OwnComment = { phid: string; text: string; at: Date; projects: ProjectChange[] }
export type ProjectChange = { operation: string; phid: string }
export type ProjectEdit = { type: 'projects.add' | 'projects.remove'; phid: string }
export type Project = { phid: string; name: string }

export type Conduit = {
  /** Comments on task `T<task>`, and does `edit` with it, all or nothing; the comment's PHID. Asked twice, it comments twice, so it stands behind `fence`. */
  comment: (task: number, text: string, signal: AbortSignal, fence: Fence, edit?: ProjectEdit) => Promise<string>
  /** The comments that our own account made on the task, newest first, as far back as `since`. */
  ownComments: (task: number, since: Date, signal: AbortSignal) => Promise<OwnComment[]>
  /** The last change of whether the task has `project`, and whether it was ours; undefined when there was none. */
  lastChange: (task: number, project: string, signal: AbortSignal) => Promise<{ operation: string; isOurs: boolean } | undefined>
  /** The project with that PHID, `#slug` or name; undefined when there is none that we may see. */
  project: (named: string, signal: AbortSignal) => Promise<Project | undefined>
  /** The account behind the token. Its roles tell a bot (`agent`) from a person, and whether it is `activated`. */
  whoami: (signal: AbortSignal) => Promise<{ userName: string; roles: string[] }>
}

const whoamiSchema = z.object({ phid: z.string() })
const accountSchema = z.object({ userName: z.string(), roles: z.array(z.string()) })
const editSchema = z.object({ transactions: z.array(z.object({ phid: z.string() })) })
const operationsSchema = z.object({ operations: z.array(z.object({ operation: z.string(), phid: z.string() })) })
const transactionSchema = z.object({
  phid: z.string(),
  type: z.string().nullable(),
  authorPHID: z.string(),
  dateCreated: z.number(),
  groupID: z.string().nullish(),
  comments: z.array(z.object({ removed: z.boolean(), content: z.object({ raw: z.string() }) })),
  fields: z.unknown(),
})
const searchSchema = z.object({
  data: z.array(transactionSchema),
  cursor: z.object({ after: z.union([z.string(), z.number()]).nullable() }),
})
const projectsSchema = z.object({ data: z.array(z.object({ phid: z.string(), fields: z.object({ name: z.string() }) })) })

type Transaction = z.output<typeof transactionSchema>

const mostPages = 50

/** Conduit at `url` with an API token. Its calls throw what `openConduitApi` says. */
export function openConduit({ url, token, redact }: { url: string; token: Secret; redact: (text: string) => string }): Conduit {
  const call = openConduitApi({ url, token, redact })
  const own = madeOf(token, (): { phid?: Promise<string> | undefined } => ({}))

  // The account behind a token stays the same.
  async function ownPhid(signal: AbortSignal): Promise<string> {
    const account = own()
    account.phid ??= call('user.whoami', {}, whoamiSchema, signal).then(({ phid }) => phid)
    try {
      return await account.phid
    } catch (error) {
      account.phid = undefined
      throw error
    }
  }

  // Newest first.
  async function* transactions(task: number, constraints: object, since: Date, signal: AbortSignal): AsyncGenerator<Transaction> {
    let after: string | number | null = null
    for (let page = 0; page < mostPages; page++) {
      const params: object = { objectIdentifier: monogram(task), ...constraints, limit: 100, ...(after !== null && { after }) }
      const { data, cursor }: z.output<typeof searchSchema> = await call('transaction.search', params, searchSchema, signal)
      yield* data
      const oldest = data.at(-1)
      after = cursor.after
      if (after === null || !oldest || oldest.dateCreated * 1000 < since.getTime()) return
    }
  }

  return {
    async comment(task, text, signal, fence, edit) {
      const comment = { type: 'comment', value: text }
      const with_ = edit ? [{ type: edit.type, value: [edit.phid] }] : []
      const params = { objectIdentifier: monogram(task), transactions: [comment, ...with_] }
      const { transactions: made } = await call('maniphest.edit', params, editSchema, signal, fence)
      // The comment comes last, after what was done with it and what it brought about, such as a subscription.
      const last = made.at(-1)
      if (!last) throw new Permanent(`Phabricator made no comment of the text for ${monogram(task)}.`)
      return last.phid
    },

    async ownComments(task, since, signal) {
      const constraints = { constraints: { authorPHIDs: [await ownPhid(signal)] } }
      const comments: Array<Omit<OwnComment, 'projects'> & { group: string }> = []
      const changes = new Map<string, ProjectChange[]>()
      for await (const one of transactions(task, constraints, since, signal)) {
        const { phid, type, groupID: group, dateCreated } = one
        // Versions, newest first: somebody may have edited what we wrote.
        const written = one.comments.at(-1)
        if (type === 'comment' && written)
          comments.push({ phid, text: written.content.raw, at: new Date(dateCreated * 1000), group: group ?? phid })
        else if (group) changes.set(group, [...(changes.get(group) ?? []), ...projectChanges(one)])
      }
      return comments.map(({ group, ...comment }) => ({ ...comment, projects: changes.get(group) ?? [] }))
    },

    async lastChange(task, project, signal) {
      const me = await ownPhid(signal)
      for await (const one of transactions(task, {}, new Date(0), signal)) {
        const change = projectChanges(one).find(({ phid }) => phid === project)
        if (change) return { operation: change.operation, isOurs: one.authorPHID === me }
      }
      return undefined
    },

    async project(named, signal) {
      const search = async (constraints: object) => (await call('project.search', { constraints }, projectsSchema, signal)).data
      const isCalled = ({ fields }: { fields: { name: string } }) => fields.name.toLowerCase() === named.toLowerCase()
      const bySlug = () => search({ slugs: [named.replace(/^#/, '')] })
      // A search by name finds names that begin alike, too.
      const byName = async () => (await search({ name: named })).find(isCalled) ?? (await bySlug())[0]
      const [first] = named.startsWith('PHID-')
        ? await search({ phids: [named] })
        : named.startsWith('#')
          ? await bySlug()
          : [await byName()]
      return first && { phid: first.phid, name: first.fields.name }
    },

    whoami: (signal) => call('user.whoami', {}, accountSchema, signal),
  }
}

function projectChanges({ type, fields }: Transaction): ProjectChange[] {
  return type === 'projects' ? (operationsSchema.safeParse(fields).data?.operations ?? []) : []
}

// An empty identifier would make `maniphest.edit` create a task.
function monogram(task: number): string {
  if (!Number.isSafeInteger(task) || task < 1) throw new Permanent(`There can be no task with the number ${task}.`)
  return `T${task}`
}

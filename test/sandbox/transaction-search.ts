// transaction.search: what happened to a task, newest first, with the text of comments exactly as it was sent. This is
// how one recognises a comment of one's own after an answer was lost.
import { z } from 'zod'
import { ConduitError, type Given, scalar } from './conduit-form.ts'
import type { Task, Transaction } from './tasks.ts'

const constraintsSchema = z.record(z.string(), z.unknown())
const phidsSchema = z.array(z.string()).min(1)

export function searchTransactions(given: Given) {
  const { params } = given
  const tasks = findTasks(given)
  const matches = readConstraints(given, params.constraints)
  const all = tasks
    .flatMap((task) => task.transactions.map((transaction) => ({ task, transaction })))
    .filter(({ transaction }) => matches(transaction))
    .toSorted((a, b) => b.transaction.id - a.transaction.id)
  const limit = Number(params.limit ?? 100)
  const page = cut(all, limit, readCursor(params.after), readCursor(params.before))
  const data = page.items.map(({ task, transaction }) => transactionJson(task, transaction))
  return { data, cursor: { limit, after: page.after, before: page.before } }
}

function findTasks({ state, params }: Given): Task[] {
  const { objectIdentifier: identifier, objectType } = params
  const old = state.release === '2025.51'
  const core = (words: string) => new ConduitError('ERR-CONDUIT-CORE', words)
  const visible = state.tasks.filter((task) => task.access !== 'hidden')
  if (identifier === undefined || identifier === null || identifier === '') {
    if (objectType === 'TASK') return visible
    throw old
      ? core('Calls to "transaction.search" must specify either an "objectType" or an "objectIdentifier".')
      : new ConduitError('ERR-INVALID-PARAMETER', 'Must specify either parameter "objectType" or parameter "objectIdentifier".')
  }
  if (typeof identifier !== 'string') {
    throw old
      ? core(
          `Call to phutil_nonempty_string() expected null or a string, got: ${typeof identifier === 'number' ? 'int' : typeof identifier}.`,
        )
      : new ConduitError('ERR-INVALID-OBJECT-PHID-FORMAT', '"objectIdentifier" must be a string (PHID or object monogram).')
  }
  const number = /^T0*(\d+)$/i.exec(identifier)?.[1]
  const task = visible.find(({ id, phid }) => phid === identifier || String(id) === number)
  if (task) return [task]
  throw old
    ? core(`In call to "transaction.search", specified "objectIdentifier" ("${identifier}") does not exist.`)
    : new ConduitError('ERR-INVALID-OBJECT-PHID', 'Specified "objectIdentifier" does not exist.')
}

function readConstraints({ state }: Given, value: unknown): (transaction: Transaction) => boolean {
  const { authorPHIDs, phids, ...others } = constraintsSchema.safeParse(value).data ?? {}
  const old = state.release === '2025.51'
  if (Object.keys(others).length > 0) {
    throw new ConduitError(old ? 'ERR-CONDUIT-CORE' : 'ERR-CONDUIT-CALL', `Got unexpected parameters: ${Object.keys(others).join(', ')}`)
  }
  const authors = authorPHIDs === undefined ? undefined : phidsSchema.safeParse(authorPHIDs)
  if (authors && !authors.success) {
    throw old
      ? new ConduitError(
          'ERR-CONDUIT-CORE',
          'Constraint "authorPHIDs" to "transaction.search" requires nonempty list, empty list provided.',
        )
      : new ConduitError('ERR-INVALID-CONSTRAINT-AUTHORPHIDS-FORMAT', '"authorPHIDs" must be a non-empty list of author PHIDs.')
  }
  const own = phids === undefined ? undefined : phidsSchema.safeParse(phids).data
  return ({ authorPHID, phid }) => (authors?.data.includes(authorPHID) ?? true) && (own?.includes(phid) ?? true)
}

function readCursor(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (/^\d+$/.test(scalar(value))) return Number(value)
  throw new ConduitError('ERR-CONDUIT-CORE', 'Expected a numeric scalar or null for %Ld conversion. Query: x.id IN (%Ld)')
}

type Found = { task: Task; transaction: Transaction }

// A cursor that is not among the transactions gives an empty page, without an error.
function cut(all: Found[], limit: number, after: number | undefined, before: number | undefined) {
  const place = all.findIndex(({ transaction }) => transaction.id === (after ?? before))
  if ((after ?? before) !== undefined && place === -1) return { items: [], after: null, before: null }
  const start = after !== undefined ? place + 1 : before !== undefined ? Math.max(0, place - limit) : 0
  const end = before !== undefined ? place : Math.min(start + limit, all.length)
  const items = all.slice(start, end)
  const idOf = (found: Found | undefined) => (found ? String(found.transaction.id) : null)
  return { items, after: end < all.length ? idOf(items.at(-1)) : null, before: start > 0 ? idOf(items[0]) : null }
}

function transactionJson(task: Task, { comments, ...transaction }: Transaction) {
  const { id, phid, type, authorPHID, dateCreated, dateModified, groupID, fields } = transaction
  const versions = comments.toReversed().map((comment) => ({
    id: comment.id,
    phid: comment.phid,
    version: comment.version,
    authorPHID,
    dateCreated: comment.dateCreated,
    dateModified: comment.dateCreated,
    removed: comment.removed,
    content: { raw: comment.text },
  }))
  return { id, phid, type, authorPHID, objectPHID: task.phid, dateCreated, dateModified, groupID, comments: versions, fields }
}

// maniphest.search: tasks by number or PHID. What is missing or may not be seen is absent, without an error. Numbers
// must be numbers when the parameters came as JSON.
import { z } from 'zod'
import { ConduitError, type Given, scalar } from './conduit-form.ts'
import type { Maniphest, Task } from './tasks.ts'

const orders =
  'priority, order-priority, updated, order-modified, outdated, newest, created, order-created, oldest, closed, title, order-title, relevance'
const constraintsSchema = z.record(z.string(), z.unknown())

export function searchTasks({ state, params, typed }: Given) {
  const { ids, phids, ...others } = constraintsSchema.safeParse(params.constraints).data ?? {}
  const [other] = Object.keys(others)
  if (other !== undefined) {
    throw state.release === '2025.51'
      ? new ConduitError('ERR-CONDUIT-CORE', `Constraint "${other}" is not a valid constraint for this query.`)
      : new ConduitError('ERR-INVALID-CONSTRAINT', 'Parameter "constraints" includes an invalid key.')
  }
  const order = scalar(params.order ?? 'newest')
  if (!orders.split(', ').includes(order)) {
    throw new ConduitError(
      'ERR-CONDUIT-CORE',
      `Query "ManiphestTaskQuery" does not support a builtin order "${order}". Supported orders are: ${orders}.`,
    )
  }
  const limit = readLimit(state, params.limit)
  const wantedIds = ids === undefined ? undefined : readList('ids', ids).map((id, index) => readNumber(id, index, typed))
  const wantedPhids = phids === undefined ? undefined : readList('phids', phids)
  const found = state.tasks
    .filter((task) => task.access !== 'hidden')
    .filter(({ id, phid }) => (wantedIds?.includes(id) ?? true) && (wantedPhids?.includes(phid) ?? true))
    .toSorted((a, b) => (order === 'oldest' ? a.id - b.id : b.id - a.id))
  const start =
    params.after === undefined || params.after === null ? 0 : found.findIndex(({ id }) => String(id) === scalar(params.after)) + 1
  const page = found.slice(start, start + limit)
  const after = start + limit < found.length ? String(page.at(-1)?.id) : null
  const data = page.map((task) => taskJson(state, task))
  return { data, maps: {}, query: { queryKey: null }, cursor: { limit, after, before: null, order: params.order ?? null } }
}

function readLimit({ release }: Maniphest, value: unknown): number {
  const limit = value === undefined || value === null ? 100 : Number(value)
  const code = release === '2025.51' ? 'ERR-CONDUIT-CORE' : 'ERR-INVALID-PAGE-SIZE'
  if (limit > 100) throw new ConduitError(code, `Maximum page size for Conduit API method calls is 100, but this call specified ${limit}.`)
  if (limit < 1) {
    const calls = release === '2025.51' ? 'API searches' : 'Conduit API method calls'
    throw new ConduitError(code, `Minimum page size for ${calls} is 1, but this call specified ${limit}.`)
  }
  return limit
}

function readList(name: string, value: unknown): unknown[] {
  const fail = (words: string) => new ConduitError('ERR-CONDUIT-CORE', `Error while reading "${name}": ${words}`)
  if (!Array.isArray(value)) throw fail('Expected a list, but value is not a list.')
  if (value.length === 0) throw fail('Expected a nonempty list, but value is an empty list.')
  return value
}

function readNumber(value: unknown, index: number, typed: boolean): number {
  if (typeof value === 'number') return value
  if (!typed && /^\d+$/.test(scalar(value))) return Number(value)
  throw new ConduitError('ERR-CONDUIT-CORE', `Error while reading "ids[${index}]": Expected integer, got something else.`)
}

function taskJson({ accounts }: Maniphest, task: Task) {
  const policy = {
    view: 'users',
    interact: task.access === 'locked' ? 'no-one' : 'users',
    edit: task.access === 'open' ? 'users' : 'no-one',
  }
  const fields = {
    name: task.title,
    description: { raw: task.description },
    authorPHID: accounts[0]?.phid ?? null,
    ownerPHID: null,
    status: { value: task.status, name: task.status, color: null },
    priority: { value: 90, name: 'Needs Triage', color: 'violet' },
    points: null,
    subtype: 'default',
    closerPHID: null,
    dateClosed: null,
    groupByProjectPHID: null,
    spacePHID: null,
    dateCreated: task.dateCreated,
    dateModified: task.transactions.at(-1)?.dateModified ?? task.dateCreated,
    policy,
  }
  return { id: task.id, type: 'TASK', phid: task.phid, fields, attachments: { subscribers: { subscriberPHIDs: task.subscribers } } }
}

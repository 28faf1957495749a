// `dead`: the dead letters, which are effects that will not be retried by themselves: listed, grouped by error, one whole.
import { type SqlBool, sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'
import { causeConditions, concernsDeliveries, deliveryConditions, effectConditions } from '#shared/journal/search/conditions.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { fewCandidates } from '#shared/journal/search/search.ts'
import type { Tables } from '#shared/journal/tables.ts'
import { commonWords } from '#shared/process/errors.ts'
import type { ListKey } from './deliveries.ts'

export type DeadLetter = {
  id: string
  delivery: string
  sink: string
  task?: string
  mr?: string
  reason: string | null
  error: string | null
  attempts: number
  at: string | null
}
export type Group = { id: string; error: string; count: number; first: string; last: string; sinks: string[] }

const usual = 50

/** The dead letters that match, latest first, at most `limit`, those after `before` only. */
export async function listDead(database: Database, filters: Filters, before?: ListKey): Promise<DeadLetter[]> {
  const found = (await byBestWay(database, filters))
    .select(['effects.id', 'effects.ended_at'])
    .orderBy('effects.ended_at', 'desc')
    .orderBy('effects.id', 'desc')
    .limit(filters.limit ?? usual)
  // From the index alone; whole rows are read of those only that are shown.
  const chosen = before ? found.where(sql<SqlBool>`(effects.ended_at, effects.id) < (${before.at}, ${before.id})`) : found
  const rows = await database
    .selectFrom(chosen.as('chosen'))
    .innerJoin('effects', 'effects.id', 'chosen.id')
    .leftJoin('deliveries', 'deliveries.id', 'effects.delivery')
    .select(['effects.id', 'effects.delivery', 'effects.sink', 'effects.task', 'effects.reason', 'effects.error', 'effects.attempts'])
    .select(['effects.ended_at', 'deliveries.project', 'deliveries.iid'])
    .orderBy('effects.ended_at', 'desc')
    .orderBy('effects.id', 'desc')
    .execute()
  return rows.map(({ id, delivery, sink, task, project, iid, reason, error, attempts, ended_at }) => ({
    id,
    delivery,
    sink,
    ...(task !== null && { task: `T${task}` }),
    ...(project !== null && iid !== null && { mr: `${project}!${iid}` }),
    reason,
    error,
    attempts,
    at: ended_at?.toISOString() ?? null,
  }))
}

/** The dead letters that match, by error; the largest group first, at most `limit` groups. */
export async function groupDead(database: Database, filters: Filters): Promise<Group[]> {
  const grouped = (await byBestWay(database, filters))
    .groupBy('effects.error')
    .select(({ fn }) => [
      'effects.error',
      fn.min('effects.id').as('one'),
      fn.max('effects.id').as('other'),
      fn.countAll<number>().as('count'),
      fn.min('effects.ended_at').as('first'),
      fn.max('effects.ended_at').as('last'),
      sql<string>`group_concat(distinct effects.sink order by effects.sink)`.as('sinks'),
    ])
    .orderBy('count', 'desc')
    .orderBy('effects.error')
  const rows = await (filters.limit === undefined ? grouped : grouped.limit(filters.limit)).execute()
  const examples = rows.flatMap(({ one, other }) => [one, other])
  const read =
    examples.length === 0 ? [] : await database.selectFrom('effects').select(['id', 'reason']).where('id', 'in', examples).execute()
  const reasons = new Map(read.map(({ id, reason }) => [id, reason ?? '']))
  const words = (id: string) => reasons.get(id) ?? ''
  return rows.map(({ error, one, other, count, first, last, sinks }) => ({
    id: error ?? '',
    error: one === other ? words(one) : commonWords(words(one), words(other)),
    count: Number(count),
    first: first?.toISOString() ?? '',
    last: last?.toISOString() ?? '',
    sinks: sinks.split(','),
  }))
}

/** The dead letters that match, to select from. */
export function matchingDead(database: Database, filters: Filters, way = sql``) {
  const query = database
    .selectFrom(sql<Tables['effects']>`(select * from effects ${way})`.as('effects'))
    .where('effects.state', '=', 'dead')
    .where(effectConditions(filters))
    .where(causeConditions(filters))
  if (!concernsDeliveries(filters)) return query
  return query.where((eb) =>
    eb.exists(
      eb
        .selectFrom('deliveries')
        .select(sql`1`.as('one'))
        .whereRef('deliveries.id', '=', 'effects.delivery')
        .where(deliveryConditions(filters)),
    ),
  )
}

// Dead letters are few beside what is done, and one index has of them what most filters ask. Which are the latest of all
// another one knows; and those of a few deliveries are found by their deliveries.
async function byBestWay(database: Database, filters: Filters) {
  const { mr, text, task } = filters
  const few = mr || text ? await fewCandidates(database, filters) : undefined
  if (few) return matchingDead(database, filters).where('effects.delivery', 'in', few.length > 0 ? few : [''])
  const isPlain = task !== undefined || Object.entries(filters).every(([name, value]) => name === 'limit' || value === undefined)
  return matchingDead(database, filters, isPlain ? sql`` : sql`force index (error)`)
}

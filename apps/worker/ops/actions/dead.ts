// `dead`: the dead letters, which are effects that will not be retried by themselves: listed, grouped by error, one whole.
import { sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'
import { deliveryConditions, effectConditions, type Filters } from '../filters.ts'

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

/** The dead letters that match, latest first, at most `limit`. */
export async function listDead(database: Database, filters: Filters): Promise<DeadLetter[]> {
  const rows = await dead(database, filters)
    .select([
      'effects.id',
      'effects.delivery',
      'effects.sink',
      'effects.task',
      'effects.reason',
      'effects.error',
      'effects.attempts',
      'effects.ended_at',
    ])
    .select(['deliveries.project', 'deliveries.iid'])
    .orderBy('effects.ended_at', 'desc')
    .orderBy('effects.id')
    .limit(filters.limit ?? usual)
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

/** The ids of all dead letters that match, in the order of their events. */
export async function deadIds(database: Database, filters: Filters): Promise<string[]> {
  const query = dead(database, filters).select('effects.id').orderBy('effects.since').orderBy('effects.id')
  return (await (filters.limit === undefined ? query : query.limit(filters.limit)).execute()).map(({ id }) => id)
}

/** The dead letters that match, by error; the largest group first. */
export async function groupDead(database: Database, filters: Filters): Promise<Group[]> {
  const rows = await dead(database, filters)
    .groupBy('effects.error')
    .select(({ fn }) => [
      'effects.error',
      fn.min('effects.reason').as('reason'),
      fn.countAll<number>().as('count'),
      fn.min('effects.ended_at').as('first'),
      fn.max('effects.ended_at').as('last'),
      sql<string>`group_concat(distinct effects.sink)`.as('sinks'),
    ])
    .orderBy('count', 'desc')
    .execute()
  return rows.map(({ error, reason, count, first, last, sinks }) => ({
    id: error ?? '',
    error: reason ?? '',
    count: Number(count),
    first: first?.toISOString() ?? '',
    last: last?.toISOString() ?? '',
    sinks: sinks.split(','),
  }))
}

function dead(database: Database, filters: Filters) {
  return database
    .selectFrom('effects')
    .leftJoin('deliveries', 'deliveries.id', 'effects.delivery')
    .where(effectConditions({ ...filters, state: 'dead' }))
    .where(deliveryConditions(filters))
}

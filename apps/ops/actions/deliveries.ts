// `deliveries`: the journal's deliveries that match, newest first, each with how its effects ended.
import { sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'
import { behind } from '#shared/journal/keyset.ts'
import { concernsEffects, deliveryConditions, effectConditions } from '#shared/journal/search/conditions.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { newestCandidates } from '#shared/journal/search/search.ts'
import type { DeliveryFacts } from '#sinks/story/story.ts'

export type DeliveryRow = DeliveryFacts & {
  done: number
  nothing: number
  dead: number
  planned: number
}

const usual = 50
const none = { done: 0, nothing: 0, dead: 0, planned: 0 }

/** A row's place in a list that is in the order of time, latest first, then of ids. */
export type ListKey = { at: Date; id: string }

/** At most `limit` deliveries that match, those after `before` only. */
export async function listDeliveries(database: Database, filters: Filters, before?: ListKey): Promise<DeliveryRow[]> {
  const { limit = usual } = filters
  const rows = []
  for await (const ids of newestCandidates(database, filters, before?.at)) {
    rows.push(...(await matchingOf(database, filters, ids, before)))
    if (rows.length >= limit) break
  }
  const shown = rows.slice(0, limit)
  const counts = await countsOf(
    database,
    shown.map(({ id }) => id),
  )
  return shown.map(({ id, received_at, kind, action, project, iid, username, title }) => ({
    id,
    receivedAt: received_at.toISOString(),
    kind,
    action,
    project,
    mr: iid === null ? null : `${project}!${iid}`,
    user: username,
    title,
    ...none,
    ...counts.get(id),
  }))
}

function matchingOf(database: Database, filters: Filters, ids: string[], before: ListKey | undefined) {
  const query = matchingDeliveries(database, filters)
    .select(['id', 'received_at', 'kind', 'action', 'project', 'iid', 'username', 'title'])
    .where('id', 'in', ids)
    .orderBy('received_at', 'desc')
    .orderBy('id', 'desc')
  return (before ? query.where(behind({ received_at: before.at, id: before.id }, '<')) : query).execute()
}

/** The deliveries that match, to select from. */
export function matchingDeliveries(database: Database, filters: Filters) {
  const query = database.selectFrom('deliveries').where(deliveryConditions(filters))
  if (!concernsEffects(filters)) return query
  return query.where((eb) =>
    eb.exists(
      eb.selectFrom('effects').select(sql`1`.as('one')).whereRef('effects.delivery', '=', 'deliveries.id').where(effectConditions(filters)),
    ),
  )
}

async function countsOf(database: Database, ids: string[]): Promise<Map<string, Record<string, number>>> {
  if (ids.length === 0) return new Map()
  const query = database.selectFrom('effects').where('delivery', 'in', ids).groupBy(['delivery', 'state'])
  const rows = await query.select(({ fn }) => ['delivery', 'state', fn.countAll<number>().as('count')]).execute()
  const counts = new Map<string, Record<string, number>>()
  for (const { delivery, state, count } of rows) counts.set(delivery, { ...counts.get(delivery), [state]: Number(count) })
  return counts
}

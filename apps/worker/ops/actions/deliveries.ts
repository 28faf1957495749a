// `deliveries`: the journal's deliveries that match, newest first, each with how its effects ended.
import { sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'
import { concernsEffects, deliveryConditions, effectConditions, type Filters } from '../filters.ts'

export type DeliveryRow = {
  id: string
  receivedAt: string
  kind: string
  action: string | null
  project: string | null
  mr: number | null
  user: string | null
  title: string | null
  done: number
  nothing: number
  dead: number
  planned: number
}

const usual = 50
const none = { done: 0, nothing: 0, dead: 0, planned: 0 }

/** At most `limit` deliveries that match. */
export async function listDeliveries(database: Database, filters: Filters): Promise<DeliveryRow[]> {
  const rows = await matchingDeliveries(database, filters)
    .select(['id', 'received_at', 'kind', 'action', 'project', 'iid', 'username', 'title'])
    .orderBy('received_at', 'desc')
    .orderBy('id')
    .limit(filters.limit ?? usual)
    .execute()
  const counts = await countsOf(
    database,
    rows.map(({ id }) => id),
  )
  return rows.map(({ id, received_at, kind, action, project, iid, username, title }) => ({
    id,
    receivedAt: received_at.toISOString(),
    kind,
    action,
    project,
    mr: iid,
    user: username,
    title,
    ...none,
    ...counts.get(id),
  }))
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

/** The ids of all deliveries that match, in the order in which they came. */
export async function matchingIds(database: Database, filters: Filters): Promise<string[]> {
  const query = matchingDeliveries(database, filters).select('id').orderBy('received_at').orderBy('id')
  return (await (filters.limit === undefined ? query : query.limit(filters.limit)).execute()).map(({ id }) => id)
}

async function countsOf(database: Database, ids: string[]): Promise<Map<string, Record<string, number>>> {
  if (ids.length === 0) return new Map()
  const query = database.selectFrom('effects').where('delivery', 'in', ids).groupBy(['delivery', 'state'])
  const rows = await query.select(({ fn }) => ['delivery', 'state', fn.countAll<number>().as('count')]).execute()
  const counts = new Map<string, Record<string, number>>()
  for (const { delivery, state, count } of rows) counts.set(delivery, { ...counts.get(delivery), [state]: Number(count) })
  return counts
}

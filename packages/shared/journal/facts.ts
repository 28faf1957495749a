// What the rows of effects repeat of their delivery's row, so that they are found without it. Deliveries and the ends of their
// effects are written in any order, also at once: each writer first writes its own row and then looks for the other's.
import { effectId } from '#shared/event/effect.ts'
import type { Database } from './database.ts'
import { router, unread } from './entry.ts'

export type FactsById = ReadonlyMap<string, { received_at: Date; kind: string; project: string | null }>

/** What the rows of the deliveries `ids` say, of those that are there. Rejects with the driver's own errors. */
export async function factsOf(database: Database, ids: string[]): Promise<FactsById> {
  if (ids.length === 0) return new Map()
  const rows = await database.selectFrom('deliveries').select(['id', 'received_at', 'kind', 'project']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, ...facts }) => [id, facts]))
}

/**
 * Completes effects of the deliveries in `known` that were written without their facts, and takes back the router's dead letter
 * of those in `routed`, which could be routed after all. They are looked for first: an update that finds nothing would lock a gap.
 * Rejects with the driver's own errors.
 */
export async function completeEffects(database: Database, known: FactsById, routed: ReadonlySet<string>): Promise<void> {
  if (known.size === 0) return
  const found = database
    .selectFrom('effects')
    .select(['id', 'delivery', 'state'])
    .where('delivery', 'in', [...known.keys()])
  for (const { id, delivery, state } of await found.where((eb) => eb.or([eb('kind', '=', unread), eb('sink', '=', router)])).execute()) {
    const facts = known.get(delivery)
    if (!facts) continue
    const healed = id === effectId(delivery, router, 'delivery') && routed.has(delivery) && state !== 'done'
    const outcome = { state: 'done' as const, reason: null, error: null, ended_at: new Date() }
    await database
      .updateTable('effects')
      .set({ ...facts, ...(healed && outcome) })
      .where('id', '=', id)
      .execute()
  }
}

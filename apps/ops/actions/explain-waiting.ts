// For what effects wait that are not performed yet: what was planned earlier in another sink may bring some that belong before
// them. Derived from the journal alone, as the rest of the story is.
import type { Database } from '#shared/journal/database.ts'
import { mostWaitMs } from '#shared/queue/lanes.ts'
import { declarationOf } from '#sinks/registry.ts'

type Waiting = { delivery: string; sink: string; state: string; order_key: string; kind: string; received_at: Date }

/** In words what `effect` waits for; undefined when that is nothing but its turn, or it does not wait. */
export async function waitsFor(database: Database, effect: Waiting): Promise<string | undefined> {
  const { delivery, sink, state, order_key, kind, received_at } = effect
  const awaited = declarationOf(sink)?.waitsFor
  if (!awaited || state !== 'planned' || Date.now() - received_at.getTime() > mostWaitMs) return undefined
  const question = await database
    .selectFrom('effects')
    .select('delivery')
    .where('sink', '=', awaited.sink)
    .where('state', '=', 'planned')
    .where('kind', '=', kind)
    .where('received_at', '<=', received_at)
    .where('order_key', '=', awaited.order(order_key))
    .where('delivery', '!=', delivery)
    .orderBy('received_at')
    .limit(1)
    .executeTakeFirst()
  return question && `waits until it is known ${awaited.known} (${question.delivery}), for a minute at most`
}

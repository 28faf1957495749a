// An effect whose job is gone, as after the loss of Redis, is planned anew from the delivery in the journal: this one
// effect, and none of the others that came of the delivery.
import { originOf } from '#shared/event/delivery.ts'
import { aboutOfEffect, type Effect, effectsOf } from '#shared/event/effect.ts'
import { parseEvent } from '#shared/event/event.ts'
import { bodyOf } from '#shared/journal/body.ts'
import { readHeaders } from '#shared/journal/headers.ts'
import { inWords } from '#shared/process/errors.ts'
import type { Sinks } from '#sinks/open.ts'
import type { SinkName } from '#sinks/registry.ts'
import type { OpsContext } from '../../context.ts'

type Wanted = { id: string; delivery: string; sink: SinkName }

/** The effect as its sink plans it today, to be looked up before it is performed; or in words why there is none. */
export async function effectAnew({ database }: OpsContext, sinks: Sinks, wanted: Wanted): Promise<Effect | { lost: string }> {
  const row = await database
    .selectFrom('deliveries')
    .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
    .select(['received_at', 'origin', 'headers', 'body'])
    .where('id', '=', wanted.delivery)
    .executeTakeFirst()
  if (!row) return { lost: 'its job is gone, and the journal does not have its delivery any more' }
  try {
    const headers = readHeaders(row.headers)
    const origin = originOf(row.origin)
    const delivery = {
      id: wanted.delivery,
      origin,
      receivedAt: row.received_at.toISOString(),
      headers,
      body: await bodyOf(row.body),
      again: true,
    }
    const event = parseEvent(delivery)
    const planned = sinks[wanted.sink]?.replan(event, aboutOfEffect(wanted.id)) ?? []
    const effect = Array.isArray(planned) && effectsOf(planned, event).find(({ id }) => id === wanted.id)
    return effect || { lost: 'its job is gone, and as things are configured now its sink plans no such effect' }
  } catch (error) {
    return { lost: `its job is gone, and it cannot be planned anew: ${inWords(error)}` }
  }
}

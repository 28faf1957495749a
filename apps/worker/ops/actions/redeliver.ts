// `redeliver`: sends whole deliveries through again, from the journal. Each effect is looked for at its remote before it
// is made, so what is there already stays as it is, and what is missing is made.

import { z } from 'zod'
import type { Delivery } from '#shared/delivery.ts'
import { bodyOf } from '#shared/journal/entry.ts'
import { readJson } from '#shared/json.ts'
import { deliveryJobId } from '#shared/queues.ts'
import { handIn } from '../hand-in.ts'
import type { Place } from '../place.ts'

export type Redelivered = { redelivered: number; missing: string[] }

const headersSchema = z.record(z.string(), z.string())

/** Hands in the deliveries `ids` from the journal; those that it does not have are told. */
export async function redeliver(place: Place, ids: string[], reason: string): Promise<Redelivered> {
  const missing: string[] = []
  const redelivered = await handIn(place.queues.deliveries, fromJournal(place, ids, missing))
  await place.record('redeliver', reason, { deliveries: ids.slice(0, 100), missing: missing.slice(0, 100) }, redelivered)
  return { redelivered, missing }
}

async function* fromJournal({ database, queues }: Place, ids: string[], missing: string[]): AsyncGenerator<Delivery> {
  for (const id of ids) {
    const row = await database
      .selectFrom('deliveries')
      .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
      .select(['received_at', 'headers', 'body'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) {
      missing.push(id)
      continue
    }
    const job = await queues.deliveries.getJob(deliveryJobId(id))
    // One that waits or runs will be routed anyway; a finished one would keep the new one out.
    if (job?.finishedOn !== undefined) await job.remove()
    const headers = headersSchema.parse(readJson(row.headers))
    yield { id, receivedAt: row.received_at.toISOString(), headers, body: await bodyOf(row.body), again: true, redelivered: true }
  }
}

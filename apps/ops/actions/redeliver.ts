// `redeliver`: sends whole deliveries through again, from the journal. Each effect is looked for at its remote before it
// is made, so what is there already stays as it is, and what is missing is made.
import { type SqlBool, sql } from 'kysely'
import { type Delivery, originOf } from '#shared/event/delivery.ts'
import { bodyOf } from '#shared/journal/body.ts'
import type { Database } from '#shared/journal/database.ts'
import { readHeaders } from '#shared/journal/headers.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { onRecord } from '../audit.ts'
import type { Place } from '../context.ts'
import { handIn, type Manner } from '../hand-in.ts'
import { matchingDeliveries } from './deliveries.ts'

/** `unreadable` are ids of deliveries whose body the journal has, but not so that it can be read. */
export type Redelivered = { redelivered: number; missing: string[]; unreadable: string[]; interrupted: boolean }

/**
 * The deliveries with these ids, in this order, or all that the filters choose, in the order in which they came: with a
 * limit the newest of them.
 */
export type ChosenDeliveries = { ids: string[] } | { filters: Filters }

const pageSize = 500

type Options = Pick<Manner, 'signal' | 'onWait'> & { reason: string }

/** Hands in the chosen deliveries from the journal, each once; what it does not have, or cannot read, is told. */
export async function redeliver(place: Place, chosen: ChosenDeliveries, { reason, signal, onWait }: Options): Promise<Redelivered> {
  const not: Not = { missing: [], unreadable: [] }
  return await onRecord(place, { verb: 'redeliver', reason, details: chosen }, async (tally) => {
    await handIn(place.queues.deliveries, fromJournal(place, chosen, not), { tally, signal, onWait })
    if (not.missing.length + not.unreadable.length > 0) tally.details = { ...chosen, ...not }
    return { redelivered: tally.count, ...not, interrupted: signal?.aborted === true }
  })
}

/** Hands in one delivery from the journal; false when it does not have it, or cannot read it. */
export async function redeliverOne(place: Place, id: string): Promise<boolean> {
  const tally = { count: 0 }
  await handIn(place.queues.deliveries, fromJournal(place, { ids: [id] }, { missing: [], unreadable: [] }), { tally })
  return tally.count === 1
}

type Not = { missing: string[]; unreadable: string[] }

async function* fromJournal(place: Place, chosen: ChosenDeliveries, not: Not): AsyncGenerator<Delivery> {
  for await (const id of idsOf(place, chosen)) {
    const row = await place.database
      .selectFrom('deliveries')
      .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
      .select(['received_at', 'origin', 'headers', 'body'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) {
      not.missing.push(id)
      continue
    }
    // One that cannot be read must not keep the others back.
    const body = await bodyOf(row.body).catch(() => undefined)
    if (body === undefined) {
      not.unreadable.push(id)
      continue
    }
    const job = await place.queues.deliveries.getJob(deliveryJobId(id))
    // One that waits or runs will be routed anyway; a finished one would keep the new one out.
    if (job?.finishedOn !== undefined) await job.remove()
    const headers = readHeaders(row.headers)
    const origin = originOf(row.origin)
    yield { id, origin, receivedAt: row.received_at.toISOString(), headers, body, again: true, redelivered: true }
  }
}

// A page at a time, however many there are.
async function* idsOf({ database }: Place, chosen: ChosenDeliveries): AsyncGenerator<string> {
  if ('ids' in chosen) return yield* new Set(chosen.ids)
  const oldest = await oldestMeant(database, chosen.filters)
  let left = chosen.filters.limit ?? Number.POSITIVE_INFINITY
  let last: { id: string; received_at: Date } | undefined
  do {
    const size = Math.min(pageSize, left)
    let query = matchingDeliveries(database, chosen.filters)
    if (oldest) query = query.where(sql<SqlBool>`(received_at, id) >= (${oldest.received_at}, ${oldest.id})`)
    if (last) {
      const { id, received_at: at } = last
      query = query.where((eb) => eb.or([eb('received_at', '>', at), eb('received_at', '=', at).and('id', '>', id)]))
    }
    const page = await query.select(['id', 'received_at']).orderBy('received_at').orderBy('id').limit(size).execute()
    for (const { id } of page) yield id
    left -= page.length
    last = page.length === size && left > 0 ? page.at(-1) : undefined
  } while (last)
}

// The last of the newest so many; undefined when all that match are meant.
async function oldestMeant(database: Database, filters: Filters): Promise<{ id: string; received_at: Date } | undefined> {
  if (filters.limit === undefined) return undefined
  return await matchingDeliveries(database, filters)
    .select(['id', 'received_at'])
    .orderBy('received_at', 'desc')
    .orderBy('id', 'desc')
    .offset(filters.limit - 1)
    .limit(1)
    .executeTakeFirst()
}

// `redeliver`: sends whole deliveries through again, from the journal. Each effect is looked for at its remote before it
// is made, so what is there already stays as it is, and what is missing is made.
import type { Delivery } from '#shared/event/delivery.ts'
import type { Database } from '#shared/journal/database.ts'
import { behind, pagesOf } from '#shared/journal/keyset.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { deliveryFrom } from '#shared/journal/stored-delivery.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { onRecord } from '../audit.ts'
import type { OpsContext } from '../context.ts'
import { type HandInOptions, handIn, nothingYet } from '../hand-in.ts'
import { matchingDeliveries } from './deliveries.ts'

/** `unreadable` are ids of deliveries whose body the journal has, but not so that it can be read. */
export type Redelivered = {
  redelivered: number
  /** How many of their effects were discarded, and stay so. */
  letGo: number
  /** How many were discarded whole. */
  leftOut: number
  missing: string[]
  unreadable: string[]
  interrupted: boolean
}

/**
 * The deliveries with these ids, in this order, or all that the filters choose, in the order in which they came: with a
 * limit the newest of them.
 */
export type ChosenDeliveries = { ids: string[] } | { filters: Filters }

const pageSize = 500

type Options = Omit<HandInOptions, 'tally'> & { reason: string }

/** Hands in the chosen deliveries from the journal, each once; what it does not have, or cannot read, is told. */
export async function redeliver(context: OpsContext, chosen: ChosenDeliveries, { reason, ...options }: Options): Promise<Redelivered> {
  const not: Not = { missing: [], unreadable: [] }
  const of = await countDeliveries(context.database, chosen)
  return await onRecord(context, { verb: 'redeliver', reason, details: { ...chosen, of } }, async (tally) => {
    const handed = nothingYet()
    const follow = (done: number) => {
      tally.count = done
      options.onProgress?.(done)
    }
    await handIn(context, fromJournal(context, chosen, not), { ...options, tally: handed, onProgress: follow })
    const interrupted = options.signal?.aborted === true
    const isShort = not.missing.length + not.unreadable.length > 0
    tally.details = { ...chosen, of, ...(isShort && not), ...(interrupted && { interrupted }) }
    return { redelivered: handed.count, letGo: handed.letGo, leftOut: handed.leftOut, ...not, interrupted }
  })
}

/** The deliveries that would be handed in, with what each is about. */
export async function redeliverable(
  context: OpsContext,
  chosen: ChosenDeliveries,
): Promise<Array<{ id: string; kind: string; about: string | null }>> {
  const found = []
  for await (const id of idsOf(context, chosen)) {
    const row = await context.database.selectFrom('deliveries').select(['kind', 'project', 'iid']).where('id', '=', id).executeTakeFirst()
    if (row) found.push({ id, kind: row.kind, about: row.iid === null ? row.project : `${row.project}!${row.iid}` })
  }
  return found
}

/** How many deliveries are chosen. */
export async function countDeliveries(database: Database, chosen: ChosenDeliveries): Promise<number> {
  if ('ids' in chosen) return new Set(chosen.ids).size
  const query = matchingDeliveries(database, chosen.filters).select(({ fn }) => fn.countAll<number>().as('count'))
  const { count } = await query.executeTakeFirstOrThrow()
  return Math.min(Number(count), chosen.filters.limit ?? Number.POSITIVE_INFINITY)
}

/** Hands in one delivery from the journal; false when it does not have it, or cannot read it. */
export async function redeliverOne(context: OpsContext, id: string): Promise<boolean> {
  const tally = nothingYet()
  await handIn(context, fromJournal(context, { ids: [id] }, { missing: [], unreadable: [] }), { tally })
  return tally.count === 1
}

type Not = { missing: string[]; unreadable: string[] }

async function* fromJournal(context: OpsContext, chosen: ChosenDeliveries, not: Not): AsyncGenerator<Delivery> {
  for await (const id of idsOf(context, chosen)) {
    const row = await context.database
      .selectFrom('deliveries')
      .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
      .select(['id', 'received_at', 'origin', 'headers', 'body'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) {
      not.missing.push(id)
      continue
    }
    // One that cannot be read must not keep the others back.
    const delivery = await deliveryFrom(row).catch(() => undefined)
    if (delivery === undefined) {
      not.unreadable.push(id)
      continue
    }
    const job = await context.queues.deliveries.getJob(deliveryJobId(id))
    // One that waits or runs will be routed anyway; a finished one would keep the new one out.
    if (job?.finishedOn !== undefined) await job.remove()
    yield { ...delivery, again: true, redelivered: true }
  }
}

// A page at a time, however many there are.
async function* idsOf({ database }: OpsContext, chosen: ChosenDeliveries): AsyncGenerator<string> {
  if ('ids' in chosen) return yield* new Set(chosen.ids)
  const oldest = await oldestMeant(database, chosen.filters)
  let query = matchingDeliveries(database, chosen.filters).select(['received_at', 'id']).orderBy('received_at').orderBy('id')
  if (oldest)
    query = query
      .where('received_at', '>=', oldest.received_at)
      .where(({ eb }) => eb('received_at', '>', oldest.received_at).or('id', '>=', oldest.id))
  const read = (last: { received_at: Date; id: string } | undefined, count: number) =>
    query
      .where(behind(last && { received_at: last.received_at, id: last.id }))
      .limit(count)
      .execute()
  for await (const page of pagesOf(pageSize, read, chosen.filters.limit)) for (const { id } of page) yield id
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

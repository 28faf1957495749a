// The feed as the journal knows it: its tables are asked and written here alone.
import { type SqlBool, sql } from 'kysely'
import { beginning, type Cursor, justBefore, partsOf } from '#shared/event/cursor.ts'
import { feedOrder } from '#shared/event/effect.ts'
import type { Link } from '#shared/queue/relay.ts'
import type { Database } from './database.ts'
import type { DeliveryEntry, EndedEntry } from './entry.ts'
import { behind, pagesOf } from './keyset.ts'
import { insertRows } from './rows.ts'
import type { Tables } from './tables.ts'

/** The newest cursor that the journal in `database` knows, `0-0` when there is none. Rejects with the driver's errors. */
export async function newestInJournal(database: Database): Promise<Cursor> {
  const query = database.selectFrom('feed').select(['time', 'number']).orderBy('time', 'desc').orderBy('number', 'desc').limit(1)
  const newest = await query.executeTakeFirst().catch(unlessNew(undefined))
  return newest ? `${newest.time}-${newest.number}` : beginning
}

/**
 * Where on the feed the message of a delivery was published; undefined when the journal in `database` does not know, or is
 * away: the feed does not wait for it.
 */
export function publishedAt(database: Database): (delivery: string) => Promise<Link | undefined> {
  return async function ask(delivery) {
    try {
      const query = database.selectFrom('feed').select(['time', 'number', 'previous']).where('delivery', '=', delivery)
      const row = await query.orderBy('time').limit(1).executeTakeFirst()
      return row && linkOf(row)
    } catch {
      return undefined
    }
  }
}

/** The place of a row of `feed`, and the one before it. */
export function linkOf({ time, number, previous }: { time: number; number: number; previous: string | null }): Link {
  const cursor = `${time}-${number}`
  return { cursor, previous: previous ?? justBefore(cursor) }
}

// A message of which this is more, compressed, is asked for by itself: a page of a hundred would be large.
const shortBytes = 2048
const noMessages = sql`(select '' as delivery, 0 as rules, null as about, null as bytes, null as message from dual where false)`
// A body is that many times its compressed size, about.
const timesCompressed = 4

/**
 * The first `count` places behind `after`, not beyond `to`, each with its message as far as it was kept by the rules `rules`, if there is a table for that: when
 * it is short, the message itself; else `message` is null. `bytes` is how large it is, or about, and null where there is nothing to make it of.
 * Rejects with the driver's errors.
 */
export async function messagesAfter(database: Database, after: Cursor, to: Cursor | undefined, count: number, rules: number | undefined) {
  const [time, number] = partsOf(after)
  let query = database
    .selectFrom('feed')
    .leftJoin(sql<Tables['messages']>`${rules === undefined ? noMessages : sql`messages`}`.as('messages'), (join) =>
      join.onRef('messages.delivery', '=', 'feed.delivery').on('messages.rules', '=', rules ?? 0),
    )
    // In the order of the primary key of `feed`, whatever the optimizer thinks of the sizes of the tables.
    .modifyFront(sql`straight_join`)
    .select(['feed.time', 'feed.number', 'feed.previous', 'feed.delivery', 'messages.rules', 'messages.about'])
    .select(sql<Buffer | null>`if(length(messages.message) <= ${shortBytes}, messages.message, null)`.as('message'))
    .select(
      sql<number | null>`cast(coalesce(messages.bytes,
        (select ${timesCompressed} * length(bodies.body) from bodies where bodies.delivery = feed.delivery)) as unsigned)`.as('bytes'),
    )
    .where(behind({ 'feed.time': time, 'feed.number': number }))
  if (to !== undefined) {
    const [lastTime, lastNumber] = partsOf(to)
    query = query.where(sql<SqlBool>`feed.time <= ${lastTime} and (feed.time < ${lastTime} or feed.number <= ${lastNumber})`)
  }
  return await query.orderBy('feed.time').orderBy('feed.number').limit(count).execute()
}

/** Pages of the times of all messages from before `before`, oldest first; without the newest, which tells where the feed goes on when Redis has forgotten. */
export async function* timesBefore(database: Database, before: Date, count: number): AsyncGenerator<number[]> {
  const newest = await database.selectFrom('feed').select('time').orderBy('time', 'desc').limit(1).executeTakeFirst()
  const limit = Math.min(before.getTime(), newest?.time ?? 0)
  const old = database.selectFrom('feed').select('time').distinct().where('time', '<', limit).orderBy('time')
  for await (const page of pagesOf(count, (last: { time: number } | undefined, size) => old.where(behind(last)).limit(size).execute()))
    yield page.map(({ time }) => time)
}

const keepLater = ['rules', 'about', 'bytes', 'message'].map((column) => `${column} = values(${column})`).join()

/** Writes the messages of `entries`. Of two of a delivery the later one counts. Rejects with the driver's errors. */
export async function writeKeptMessages(database: Database, entries: DeliveryEntry[]): Promise<void> {
  const rows = entries.flatMap(({ id, message }) => {
    if (message === undefined) return []
    const { rules, about = null, bytes, text } = message
    return [{ delivery: id, rules, about, bytes, message: Buffer.from(text, 'base64') }]
  })
  await insertRows(database, 'messages', rows, keepLater)
}

/** Writes where the messages of `entries` were published. Rejects with the driver's errors. */
export async function writeMessages(database: Database, entries: EndedEntry[]): Promise<void> {
  await insertRows(database, 'feed', entries.flatMap(messageRow))
}

function messageRow({ effect, made, previous }: EndedEntry) {
  if (effect.order !== feedOrder || made === undefined || !/^\d+-\d+$/.test(made)) return []
  const [time, number] = partsOf(made)
  return [{ delivery: effect.delivery, time, number, previous: previous ?? null }]
}

const noSuchTable = 1146

/** Answers `nothing` where the tables are not there: the worker makes them, and before that nothing was published. */
export function unlessNew<T>(nothing: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'errno' in error && error.errno === noSuchTable) return nothing
    throw error
  }
}

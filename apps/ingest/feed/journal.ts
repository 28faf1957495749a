// The feed's history as the journal has it, under the same cursors: the messages are made anew from the deliveries, with
// what privacy says today. Read by primary key, in pages of bounded size.
import { sql } from 'kysely'
import { type Cursor, justBefore, partsOf } from '#shared/event/cursor.ts'
import { originOf } from '#shared/event/delivery.ts'
import { parseEvent } from '#shared/event/event.ts'
import { messageOf } from '#shared/event/message.ts'
import { whyPrivate } from '#shared/event/privacy.ts'
import { bodyOf } from '#shared/journal/body.ts'
import type { Database } from '#shared/journal/database.ts'
import { newestInJournal, unlessNew } from '#shared/journal/feed.ts'
import { aboutOf } from '#shared/queue/hidden-projects.ts'
import type { Entry } from '#shared/queue/relay.ts'

export type Journal = {
  /** A page of what comes after `after`, not beyond `to`. */
  read: (after: Cursor, to: Cursor | undefined) => Promise<Entry[]>
  /** The newest cursor that is recorded; `0-0` when there is none. */
  newest: () => Promise<Cursor>
}

const mostRows = 100
const mostBytes = 64 * 1024 // compressed

/** The journal in `database`; events of projects that are not public only with `feedPrivate`. Rejects when it is away. */
export function feedJournal({ database, feedPrivate }: { database: Database; feedPrivate: boolean }): Journal {
  async function read(after: Cursor, to: Cursor | undefined): Promise<Entry[]> {
    const rows = await rowsAfter(database, after, to)
    if (rows.length === 0) return []
    const page = rows.slice(0, firstUpTo(mostBytes, rows))
    const bodies = await bodiesOf(
      database,
      page.map(({ delivery }) => delivery),
    )
    return await Promise.all(
      page.flatMap(({ time, number, previous, delivery }) => {
        const stored = bodies.get(delivery)
        const cursor = `${time}-${number}`
        return stored ? [entryOf({ cursor, previous: previous ?? justBefore(cursor) }, delivery, stored)] : []
      }),
    )
  }

  async function entryOf(link: { cursor: Cursor; previous: Cursor }, id: string, { receivedAt, origin, body }: Stored): Promise<Entry> {
    const event = parseEvent({ id, receivedAt: receivedAt.toISOString(), origin: originOf(origin), headers: {}, body: await bodyOf(body) })
    return { ...link, about: aboutOf(event), message: whyPrivate(event, feedPrivate) === undefined ? messageOf(event) : undefined }
  }

  return {
    read: (after, to) => read(after, to).catch(unlessNew([])),
    newest: () => newestInJournal(database),
  }
}

// How many of `rows` have `most` bytes together, at least one.
function firstUpTo(most: number, rows: Array<{ bytes: number }>): number {
  let count = 0
  for (let size = 0; count < rows.length && (count === 0 || size <= most); count++) size += rows[count]?.bytes ?? 0
  return count
}

// A row without its delivery counts as missing: then the next one shows a hole. The order of the tables is that of the
// primary key of `feed`, whatever the optimizer thinks of their sizes.
async function rowsAfter(database: Database, after: Cursor, to: Cursor | undefined) {
  const [time, number] = partsOf(after)
  let query = database
    .selectFrom('feed')
    .innerJoin('bodies', 'bodies.delivery', 'feed.delivery')
    .innerJoin('deliveries', 'deliveries.id', 'feed.delivery')
    .modifyFront(sql`straight_join`)
    .select(['feed.time', 'feed.number', 'feed.previous', 'feed.delivery', sql<number>`length(bodies.body)`.as('bytes')])
    .where('feed.time', '>=', time)
    .where((either) => either.or([either('feed.time', '>', time), either('feed.number', '>', number)]))
  if (to !== undefined) {
    const [lastTime, lastNumber] = partsOf(to)
    query = query
      .where('feed.time', '<=', lastTime)
      .where((either) => either.or([either('feed.time', '<', lastTime), either('feed.number', '<=', lastNumber)]))
  }
  return await query.orderBy('feed.time').orderBy('feed.number').limit(mostRows).execute()
}

type Stored = { receivedAt: Date; origin: string; body: Buffer }

async function bodiesOf(database: Database, ids: string[]): Promise<Map<string, Stored>> {
  const rows = await database
    .selectFrom('deliveries')
    .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
    .select(['deliveries.id', 'deliveries.received_at', 'deliveries.origin', 'bodies.body'])
    .where('deliveries.id', 'in', ids)
    .execute()
  return new Map(rows.map(({ id, received_at: receivedAt, origin, body }) => [id, { receivedAt, origin, body }]))
}

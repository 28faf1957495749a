// The feed's history as the journal has it, under the same cursors: the messages are made anew from the deliveries, with
// what privacy says today. Read by primary key, in pages of bounded size.
import type { Cursor } from '#shared/event/cursor.ts'
import { parseEvent } from '#shared/event/event.ts'
import { messageOf } from '#shared/event/message.ts'
import { whyPrivate } from '#shared/event/privacy.ts'
import type { Database } from '#shared/journal/database.ts'
import { linkOf, messagesAfter, newestInJournal, unlessNew } from '#shared/journal/feed.ts'
import { deliveryFrom, type StoredDelivery } from '#shared/journal/stored-delivery.ts'
import { aboutOf } from '#shared/queue/hidden-projects.ts'
import type { FeedEntry, Link } from '#shared/queue/relay.ts'

export type FeedJournal = {
  /** A page of what comes after `after`, not beyond `to`. */
  read: (after: Cursor, to: Cursor | undefined) => Promise<FeedEntry[]>
  /** The newest cursor that is recorded; `0-0` when there is none. */
  newest: () => Promise<Cursor>
}

const mostRows = 100
const mostBytes = 64 * 1024 // compressed

type Parts = { database: Database; gitlabUrl: string; feedPrivate: boolean }

/** The journal in `database`; events of projects that are not public only with `feedPrivate`. Rejects when it is away. */
export function feedJournal({ database, gitlabUrl, feedPrivate }: Parts): FeedJournal {
  async function read(after: Cursor, to: Cursor | undefined): Promise<FeedEntry[]> {
    const rows = await messagesAfter(database, after, to, mostRows)
    if (rows.length === 0) return []
    const page = rows.slice(0, firstUpTo(mostBytes, rows))
    const deliveries = await storedDeliveries(
      database,
      page.map(({ delivery }) => delivery),
    )
    return await Promise.all(
      page.flatMap((row) => {
        const stored = deliveries.get(row.delivery)
        return stored ? [entryOf(linkOf(row), stored)] : []
      }),
    )
  }

  async function entryOf(link: Link, stored: StoredDelivery): Promise<FeedEntry> {
    const event = parseEvent(await deliveryFrom(stored))
    return {
      ...link,
      about: aboutOf(event),
      message: whyPrivate(event, feedPrivate) === undefined ? messageOf(event, gitlabUrl) : undefined,
    }
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

async function storedDeliveries(database: Database, ids: string[]): Promise<Map<string, StoredDelivery>> {
  const rows = await database
    .selectFrom('deliveries')
    .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
    .select(['deliveries.id', 'deliveries.received_at', 'deliveries.origin', 'bodies.body'])
    .where('deliveries.id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

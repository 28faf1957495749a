// The feed's history as the journal has it, under the same cursors: messages as they were published, where the rules are still the
// same; others are made anew from the deliveries, with what privacy says today. Read by primary key, in pages of bounded size.
import type { Cursor } from '#shared/event/cursor.ts'
import { parseEvent } from '#shared/event/event.ts'
import { messageOf, messageRules } from '#shared/event/message.ts'
import { whyPrivate } from '#shared/event/privacy.ts'
import { uncompressSmall } from '#shared/journal/compress.ts'
import type { Database } from '#shared/journal/database.ts'
import { linkOf, messagesAfter, newestInJournal, unlessNew } from '#shared/journal/feed.ts'
import { deliveryFrom, type StoredDelivery } from '#shared/journal/stored-delivery.ts'
import { aboutOf, readAbout } from '#shared/queue/hidden-projects.ts'
import type { FeedEntry } from '#shared/queue/relay.ts'

export type StoredEntry = FeedEntry<string | Buffer>

export type FeedJournal = {
  /** A page of what comes after `after`, not beyond `to`. */
  read: (after: Cursor, to: Cursor | undefined) => Promise<StoredEntry[]>
  /** The newest cursor that is recorded; `0-0` when there is none. */
  newest: () => Promise<Cursor>
}

const mostRows = 100
const mostBytes = 256 * 1024

type Row = Awaited<ReturnType<typeof messagesAfter>>[number]
type Parts = { database: Database; gitlabUrl: string; feedPrivate: boolean }

/** The journal in `database`; events of projects that are not public only with `feedPrivate`. Rejects when it is away. */
export function feedJournal({ database, gitlabUrl, feedPrivate }: Parts): FeedJournal {
  async function read(after: Cursor, to: Cursor | undefined): Promise<StoredEntry[]> {
    // A row without its delivery counts as missing: then the next one shows a hole.
    const found = await messagesAfter(database, after, to, mostRows, messageRules).catch(unlessNew(undefined))
    // Before the worker has brought the tables up to date no message is kept.
    const all = found ?? (await messagesAfter(database, after, to, mostRows, undefined))
    const rows = all.filter(({ bytes }) => bytes !== null)
    const page = rows.slice(0, firstUpTo(mostBytes, rows))
    const [long, deliveries] = await Promise.all([
      longMessages(
        database,
        page.flatMap(({ rules, message, delivery }) => (rules !== null && message === null ? [delivery] : [])),
      ),
      storedDeliveries(
        database,
        page.flatMap(({ rules, delivery }) => (rules === null ? [delivery] : [])),
      ),
    ])
    const entries = await Promise.all(
      page.map(async (row) => keptEntry(row, row.message ?? long.get(row.delivery)) ?? (await newEntry(row, deliveries.get(row.delivery)))),
    )
    return entries.filter((entry) => entry !== undefined)
  }

  function keptEntry(row: Row, message: Buffer | undefined): StoredEntry | undefined {
    if (message === undefined) return undefined
    return { ...linkOf(row), about: row.about === null ? undefined : readAbout(row.about), message: uncompressSmall(message) }
  }

  async function newEntry(row: Row, stored: StoredDelivery | undefined): Promise<StoredEntry | undefined> {
    if (!stored) return undefined
    const event = parseEvent(await deliveryFrom(stored))
    const message = whyPrivate(event, feedPrivate) === undefined ? messageOf(event, gitlabUrl) : undefined
    return { ...linkOf(row), about: aboutOf(event), message }
  }

  return {
    read: (after, to) => read(after, to).catch(unlessNew([])),
    newest: () => newestInJournal(database),
  }
}

// How many of `rows` have `most` bytes together, at least one.
function firstUpTo(most: number, rows: Array<{ bytes: number | null }>): number {
  let count = 0
  for (let size = 0; count < rows.length && (count === 0 || size <= most); count++) size += rows[count]?.bytes ?? 0
  return count
}

async function longMessages(database: Database, ids: string[]): Promise<Map<string, Buffer>> {
  if (ids.length === 0) return new Map()
  const rows = await database.selectFrom('messages').select(['delivery', 'message']).where('delivery', 'in', ids).execute()
  return new Map(rows.map(({ delivery, message }) => [delivery, message]))
}

async function storedDeliveries(database: Database, ids: string[]): Promise<Map<string, StoredDelivery>> {
  if (ids.length === 0) return new Map()
  const rows = await database
    .selectFrom('deliveries')
    .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
    .select(['deliveries.id', 'deliveries.received_at', 'deliveries.origin', 'bodies.body'])
    .where('deliveries.id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

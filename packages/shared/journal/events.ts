// The events that deliveries of the journal meant, read anew from their bodies, within bounds: a body may be of many MiB.
import { type GitLabEvent, parseEvent } from '#shared/event/event.ts'
import { bodyOf } from './body.ts'
import type { Database } from './database.ts'

const longestCompressed = 256 * 1024
const longestBody = 4 * 1024 * 1024
const mostBytes = 8 * 1024 * 1024

/**
 * The events of the deliveries with these ids, in this order, with the id of each. Undefined where the body is not there,
 * cannot be read, is larger than 256 KiB compressed or 4 MiB, or comes after 8 MiB. Rejects when the database is away.
 */
export async function eventsOf(database: Database, ids: string[]): Promise<Map<string, GitLabEvent | undefined>> {
  const events = new Map<string, GitLabEvent | undefined>(ids.map((id) => [id, undefined]))
  if (ids.length === 0) return events
  const rows = await database
    .selectFrom('deliveries')
    .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
    .select(['deliveries.id', 'deliveries.received_at', 'bodies.body'])
    .where('deliveries.id', 'in', ids)
    .where(({ eb, fn }) => eb(fn<number>('length', ['bodies.body']), '<=', longestCompressed))
    .execute()
  const stored = new Map(rows.map((row) => [row.id, row]))
  let bytes = 0
  for (const id of ids) {
    const row = stored.get(id)
    if (!row || bytes >= mostBytes) continue
    try {
      const body = await bodyOf(row.body, longestBody)
      bytes += body.length
      events.set(id, parseEvent({ id, receivedAt: row.received_at.toISOString(), headers: {}, body }))
    } catch {
      // Then nobody knows what it meant.
    }
  }
  return events
}

// The bodies of deliveries, compressed, in a table of their own.
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { DeliveryEntry } from './entry.ts'
import { headersText } from './headers.ts'
import { insertRows } from './rows.ts'

// A statement of some MiB is too large for some servers, which then cut the connection; and binary data is written in twice
// its size.
const partBytes = 3 * 1024 * 1024

/** Writes the bodies of deliveries, in parts where one is large. What is there already, from another attempt, stays. */
export async function writeBodies(database: Database, entries: DeliveryEntry[]): Promise<void> {
  const bodies = entries.map(({ id, headers, body }) => ({ delivery: id, headers, whole: Buffer.from(body, 'base64') }))
  const first = bodies.map(({ delivery, headers, whole }) => ({
    delivery,
    headers: headersText(headers),
    body: whole.subarray(0, partBytes),
  }))
  await insertRows(database, 'bodies', first)
  for (const { delivery, whole } of bodies)
    for (let at = partBytes; at < whole.length; at += partBytes) {
      const part = whole.subarray(at, at + partBytes)
      await database
        .updateTable('bodies')
        .set({ body: sql<Buffer>`concat(body, ${part})` })
        .where('delivery', '=', delivery)
        .where(sql`length(body)`, '=', at)
        .execute()
    }
}

const uncompress = promisify(gunzip)

/** The body of a delivery as it came, from the compressed form in which the journal keeps it. Rejects when it has more than `most` bytes. */
export async function bodyOf(compressed: Buffer, most?: number): Promise<string> {
  return (await uncompress(compressed, most === undefined ? {} : { maxOutputLength: most })).toString('utf8')
}

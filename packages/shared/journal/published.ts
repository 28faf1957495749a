// At which place of the feed a message was published, as the journal remembers it.
import { justBefore } from '#shared/event/cursor.ts'
import type { Link } from '#shared/queue/relay.ts'
import type { Database } from './database.ts'

/** Asks the journal in `database`. While it is away nothing is known: the feed does not wait for it. */
export function publishedAt(database: Database): (delivery: string) => Promise<Link | undefined> {
  return async function ask(delivery) {
    try {
      const query = database.selectFrom('feed').select(['time', 'number', 'previous']).where('delivery', '=', delivery)
      const row = await query.orderBy('time').limit(1).executeTakeFirst()
      if (!row) return undefined
      const cursor = `${row.time}-${row.number}`
      return { cursor, previous: row.previous ?? justBefore(cursor) }
    } catch {
      return undefined
    }
  }
}

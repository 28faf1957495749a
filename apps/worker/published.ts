// Under which cursor a message of the feed was published, as the journal remembers it.
import { effectId } from '#shared/effect.ts'
import type { Database } from '#shared/journal/database.ts'
import { isCursor } from '#shared/relay.ts'
import type { PublishedAt } from './sinks/sse.ts'

/** Asks the journal in `database`. While it is away nothing is known: the feed does not wait for it. */
export function publishedAt(database: Database): PublishedAt {
  return async function ask(delivery) {
    try {
      const query = database
        .selectFrom('effects')
        .select('made')
        .where('id', '=', effectId(delivery, 'sse', 'message'))
      const made = (await query.where('state', '=', 'done').executeTakeFirst())?.made
      return made && isCursor(made) ? made : undefined
    } catch {
      return undefined
    }
  }
}

// What the journal knows of the feed's chain: which messages there were, in which order.
import { beginning, type Cursor } from '#shared/event/cursor.ts'
import type { Database } from './database.ts'

/** The newest cursor that the journal in `database` knows, `0-0` when there is none. Rejects with the driver's errors. */
export async function newestInJournal(database: Database): Promise<Cursor> {
  const query = database.selectFrom('feed').select(['time', 'number']).orderBy('time', 'desc').orderBy('number', 'desc').limit(1)
  const newest = await query.executeTakeFirst().catch(unlessNew(undefined))
  return newest ? `${newest.time}-${newest.number}` : beginning
}

const noSuchTable = 1146

/** Answers `nothing` where the tables are not there: the worker makes them, and before that nothing was published. */
export function unlessNew<T>(nothing: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'errno' in error && error.errno === noSuchTable) return nothing
    throw error
  }
}

// Writes the journal's entries as rows: of all entries those of one table in one statement, since a statement costs more
// than its rows. Every write can be repeated, and they can come in any order.
import type { Database } from './database.ts'
import type { FailedEntry, JournalEntry } from './entry.ts'
import { cut, insertRows } from './rows.ts'
import { writeDeliveries } from './write-deliveries.ts'
import { writeEnded, writePlanned } from './write-ended.ts'

const deadlock = 1213
const mostTries = 5

/**
 * Writes `entries` into `database`. Rejects with the driver's own errors; then some of them may be written, and others not.
 * Of two writers that wait for each other the database lets one go: it tries again, a few times.
 */
export async function writeEntries(database: Database, entries: JournalEntry[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await writeAll(database, entries)
    } catch (error) {
      const isDeadlock = error instanceof Error && 'errno' in error && error.errno === deadlock
      if (!isDeadlock || tries === mostTries) throw error
    }
  }
}

async function writeAll(database: Database, entries: JournalEntry[]): Promise<void> {
  const ended = entries.filter((entry) => entry.type === 'ended')
  const known = await writeDeliveries(
    database,
    entries.filter((entry) => entry.type === 'delivery'),
    new Set(ended.map(({ effect }) => effect.id)),
  )
  const planned = entries.filter((entry) => entry.type === 'planned')
  await writePlanned(database, planned, known)
  await insertRows(database, 'attempts', entries.filter((entry) => entry.type === 'failed').map(attemptRow))
  await writeEnded(database, ended, known)
}

function attemptRow({ effect, number, at, ms, reason }: FailedEntry) {
  return { effect, number, at: new Date(at), ms, reason: cut(reason, 600) }
}

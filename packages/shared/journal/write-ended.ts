// How effects ended, as rows.
import { sql } from 'kysely'
import { errorId } from '#shared/process/errors.ts'
import type { Database } from './database.ts'
import { type EndedEntry, unread } from './entry.ts'
import { writeMessages } from './feed.ts'
import { cutOrNull, effectRow, writeRows } from './rows.ts'

const changed = ['reason', 'link', 'made', 'error', 'attempts', 'ended_at', 'state'] as const

/** Writes `entries`. Rejects with the driver's own errors. */
export async function writeEnded(database: Database, entries: EndedEntry[]): Promise<void> {
  await writeRows(
    entries.map(endedRow),
    ({ id }) => id,
    (rows) =>
      database
        .insertInto('effects')
        .values(rows)
        .onDuplicateKeyUpdate(Object.fromEntries(changed.map((column) => [column, newer(column)])))
        .execute(),
  )
  await writeMessages(database, entries)
}

function endedRow({ effect, state, reason, link, made, attempts, endedAt, toldAtMs }: EndedEntry) {
  return {
    ...effectRow(effect),
    received_at: ofDelivery<Date>(effect.delivery, 'received_at', new Date(effect.since)),
    kind: ofDelivery<string>(effect.delivery, 'kind', unread),
    project: ofDelivery<string | null>(effect.delivery, 'project', null),
    state,
    reason: cutOrNull(reason, 600),
    link: cutOrNull(link, 1000),
    made: cutOrNull(made, 200),
    error: state === 'dead' ? errorId(reason ?? '') : null,
    attempts,
    ended_at: new Date(toldAtMs ?? endedAt),
  }
}

// The value that the delivery's row has in `column`, or `otherwise` while there is no row.
function ofDelivery<T>(delivery: string, column: string, otherwise: T) {
  return sql<T>`coalesce((select ${sql.ref(column)} from deliveries where id = ${delivery}), ${otherwise})`
}

// Of two ends of an effect the later one counts, but done counts in any case. MySQL changes the columns one after another, and
// all of them are decided by `ended_at` and `state`, so these come last. Once `ended_at` has changed it equals the new one,
// which counts as later, so `state` changes with it.
function newer(column: string) {
  const isLater = sql`(ended_at is null or values(ended_at) >= ended_at)`
  const isDone = sql`(values(state) = 'done' and state <> 'done')`
  const staysDone = sql`(state = 'done' and values(state) <> 'done')`
  return sql`if((${isLater} or ${isDone}) and not ${staysDone}, values(${sql.ref(column)}), ${sql.ref(column)})`
}

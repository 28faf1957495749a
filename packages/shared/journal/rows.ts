// What the rows of the journal have in common.
import { CompiledQuery } from 'kysely'
import type { Database } from './database.ts'
import type { EndedEntry } from './entry.ts'
import type { Tables } from './tables.ts'

/** `text` as a column of `longest` characters takes it. */
export function cut(text: string, longest: number): string {
  return text.slice(0, longest).toWellFormed()
}

/** The same, and null for what there is not. */
export function cutOrNull(text: string | undefined, longest: number): string | null {
  return text === undefined ? null : cut(text, longest)
}

type Row = Readonly<Record<string, string | number | Date | Buffer | null>>

/**
 * Inserts `rows`, if there are any, into `table` in one statement; all have the columns of the first. What `update` says is
 * done where a key is there already; without it that row stays as it is. Rows are written in the order of their first column,
 * and otherwise in their own: two writers that lock the same rows in the same order do not wait for each other. The statement is
 * put together from its text, since a query builder takes longer to build it than the rest takes. Rejects with the driver's own errors.
 */
export async function insertRows(database: Database, table: keyof Tables, rows: readonly Row[], update?: string): Promise<void> {
  const columns = Object.keys(rows[0] ?? {})
  const [key] = columns
  if (key === undefined) return
  const sorted = rows.toSorted((one, other) => compare(String(one[key]), String(other[key])))
  const values = sorted.flatMap((row) => columns.map((column) => row[column]))
  const places = `(${columns.map(() => '?').join()})`
  const rest = `into ${table} (${columns.join()}) values ${places}${`,${places}`.repeat(rows.length - 1)}`
  const statement = update === undefined ? `insert ignore ${rest}` : `insert ${rest} on duplicate key update ${update}`
  await database.executeQuery(CompiledQuery.raw(statement, values))
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

/** The columns of `effects` that an effect has from the beginning. */
export function effectRow({ id, delivery, sink, order, since }: EndedEntry['effect']) {
  const task = /\/T(\d{1,9})$/.exec(id)?.[1]
  return { id, delivery, sink, order_key: cut(order, 600), task: task === undefined ? null : Number(task), since: new Date(since) }
}

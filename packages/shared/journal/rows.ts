// What the rows of the journal have in common.
import type { EndedEntry } from './entry.ts'

/** `text` as a column of `longest` characters takes it. */
export function cut(text: string, longest: number): string {
  return text.slice(0, longest).toWellFormed()
}

/** The same, and null for what there is not. */
export function cutOrNull(text: string | undefined, longest: number): string | null {
  return text === undefined ? null : cut(text, longest)
}

/**
 * Has `rows` written, if there are any, in the order of their keys: two writers that lock the same rows in the same order
 * do not wait for each other. Rows of one key stay in their order.
 */
export async function writeRows<Row>(rows: Row[], key: (row: Row) => string, write: (rows: Row[]) => Promise<unknown>): Promise<void> {
  if (rows.length === 0) return
  await write(rows.toSorted((one, other) => (key(one) < key(other) ? -1 : Number(key(one) > key(other)))))
}

/** The columns of `effects` that an effect has from the beginning. */
export function effectRow({ id, delivery, sink, order, since }: EndedEntry['effect']) {
  const task = /\/T(\d{1,9})$/.exec(id)?.[1]
  return { id, delivery, sink, order_key: cut(order, 600), task: task === undefined ? null : Number(task), since: new Date(since) }
}

// What a row of an effect says whatever became of it.
import type { EndedEntry } from './entry.ts'
import { cut } from './rows.ts'

/** The columns of `effects` that an effect has from the beginning. */
export function effectRow({ id, delivery, sink, order, since }: EndedEntry['effect']) {
  const task = /\/T(\d{1,9})$/.exec(id)?.[1]
  return { id, delivery, sink, order_key: cut(order, 600), task: task === undefined ? null : Number(task), since: new Date(since) }
}

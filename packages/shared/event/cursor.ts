// A cursor is a place in the feed: `<milliseconds>-<number>`, growing from message to message.

export type Cursor = string

/** Before everything. */
export const beginning: Cursor = '0-0'

const form = /^\d{1,15}-\d{1,10}$/

/** Whether `text` has the form of a cursor. It says nothing about whether the feed ever gave it. */
export function isCursor(text: string): boolean {
  return form.test(text)
}

/** Negative, zero or positive as `a` comes before, at or after `b`. */
export function compareCursors(a: Cursor, b: Cursor): number {
  if (a === b) return 0
  const [aTime, aNumber] = partsOf(a)
  const [bTime, bNumber] = partsOf(b)
  return aTime - bTime || aNumber - bNumber
}

/** The time (ms since 1970, by the clock of Redis) and the number of a cursor. */
export function partsOf(cursor: Cursor): [time: number, number: number] {
  const dash = cursor.indexOf('-')
  return [Number(cursor.slice(0, dash)), Number(cursor.slice(dash + 1))]
}

/** The place right before `cursor`: where a message stands of which nobody knows what came before it. */
export function justBefore(cursor: Cursor): Cursor {
  const [time, number] = partsOf(cursor)
  return number > 0 ? `${time}-${number - 1}` : `${Math.max(0, time - 1)}-9999999999`
}

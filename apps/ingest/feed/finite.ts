// Answers that end: at a cursor, before the first message that was received after a time, or after so many messages; and at the
// newest message that there was when the reader came.
import { beginning, type Cursor, compareCursors, partsOf } from '#shared/event/cursor.ts'
import { clocksDifferMs } from '#shared/event/time.ts'
import type { Frame } from './frame.ts'
import type { End } from './question.ts'

/** Where an answer ends: behind the message at `to` at the latest, and before the first one received after `until` (ms); `left` messages may come. */
export type Bound = { to: Cursor; until: number; left: number }

const behindAll: Cursor = '999999999999999-9999999999'

export function boundOf({ to = behindAll, until, limit }: End): Bound {
  return { to, until: until?.time ?? Number.POSITIVE_INFINITY, left: limit }
}

/** Lets it end at `cursor`, if it would end later. */
export function endAt(bound: Bound, cursor: Cursor): void {
  if (compareCursors(cursor, bound.to) < 0) bound.to = cursor
}

/** Whether nothing behind `cursor` belongs to the answer. */
export function isOver({ to, left }: Bound, cursor: Cursor = beginning): boolean {
  return left <= 0 || compareCursors(cursor, to) >= 0
}

/** Those of `frames`, from the first on, that belong to the answer. What ends it is remembered. */
export function upTo(bound: Bound, frames: Frame[]): Frame[] {
  const late = frames.find((frame) => isAfter(frame, bound.until))
  if (late) endAt(bound, late.previous)
  const beyond = frames.findIndex(({ cursor }) => compareCursors(cursor, bound.to) > 0)
  return beyond < 0 ? frames : frames.slice(0, beyond)
}

// What was published well before a time was also received before: that need not be read.
function isAfter({ cursor, receivedAt }: Frame, time: number): boolean {
  return partsOf(cursor)[0] + clocksDifferMs > time && receivedAt() > time
}

// What of some frames goes to the subscribers of one filter, joined into one piece.
import type { Cursor } from '#shared/event/cursor.ts'
import type { Filter } from './filter.ts'
import type { Bound } from './finite.ts'
import type { Form } from './form.ts'
import type { Frame } from './frame.ts'
import type { Hidden } from './hidden.ts'

/** `bytes` are `count` messages; with them everything up to `cursor` has been looked at. */
export type Piece = { bytes: Buffer; count: number; cursor: Cursor }

/** Which messages, in which form, and at most how many. */
export type Wanted = { filter: Filter; form: Form; bound?: Pick<Bound, 'left'> | undefined }

/**
 * Joins what is wanted of the first of `frames`, without what is `hidden`: about `most` bytes, or one message; undefined without frames. No more of
 * them are looked at than take about a millisecond.
 */
export function pieceOf(frames: Frame[], { filter, form, bound }: Wanted, most: number, hidden?: Hidden): Piece | undefined {
  const { matches, since = 0 } = filter
  const isWanted = (frame: Frame) =>
    frame.bytes.length > 0 &&
    (since === 0 || frame.receivedAt() >= since) &&
    (matches === undefined || matches(frame.facts())) &&
    hidden?.has(frame) !== true
  const chosen: Buffer[] = []
  let cursor = frames[0]?.cursor
  if (cursor === undefined) return undefined
  let size = 0
  let unwanted = 0
  for (const frame of frames.slice(0, mostFrames(filter))) {
    if (bound && chosen.length >= bound.left) break
    const wanted = isWanted(frame)
    const bytes = wanted ? form.message(frame) : frame.bytes
    if (size + unwanted > 0 && size + unwanted + bytes.length > most) break
    if (wanted) chosen.push(bytes)
    if (wanted) size += bytes.length
    else unwanted += bytes.length
    cursor = frame.cursor
  }
  return { bytes: Buffer.concat(chosen), count: chosen.length, cursor }
}

const costOfSlice = 16_000

/** How many messages one may hold against a filter without a rest. */
export function mostFrames({ cost }: Filter): number {
  return Math.max(1, Math.floor(costOfSlice / (cost + 1)))
}

const keepPieces = 64

/** The same with the last pieces kept: a crowd that comes back from one place gets the same bytes. */
export function pieceCutter(most: number, hidden?: Hidden): (frames: Frame[], wanted: Wanted) => Piece | undefined {
  // A list, since V8 rebuilds a map every few additions and removals, and its old tables keep what they held alive for some
  // collections.
  const kept: Array<{ key: string; piece: Piece }> = []
  return function cut(frames, wanted) {
    const count = Math.min(frames.length, wanted.bound?.left ?? frames.length)
    const key = `${frames[0]?.cursor} ${frames.length} ${count} ${wanted.form.name} ${wanted.filter.key} ${hidden?.version()}`
    const known = kept.find((one) => one.key === key)
    if (known) return known.piece
    const piece = pieceOf(frames, wanted, most, hidden)
    if (piece && piece.bytes.length <= most) kept.push({ key, piece })
    if (kept.length > keepPieces) kept.shift()
    return piece
  }
}

// What of some frames goes to the subscribers of one filter, joined into one piece.
import type { Cursor } from '#shared/cursor.ts'
import type { Filter } from './filter.ts'
import type { Frame } from './frame.ts'

/** `bytes` are `count` messages; with them everything up to `cursor` has been looked at. */
export type Piece = { bytes: Buffer; count: number; cursor: Cursor }

/** Joins what `filter` wants of the first of `frames`: about `most` bytes, or one message; undefined without frames. */
export function pieceOf(frames: Frame[], { matches }: Filter, most: number): Piece | undefined {
  const chosen: Buffer[] = []
  let cursor = frames[0]?.cursor
  if (cursor === undefined) return undefined
  let size = 0
  for (const frame of frames) {
    const wanted = frame.bytes.length > 0 && (matches === undefined || matches(frame.facts()))
    if (wanted && size > 0 && size + frame.bytes.length > most) break
    if (wanted) {
      chosen.push(frame.bytes)
      size += frame.bytes.length
    }
    cursor = frame.cursor
  }
  return { bytes: Buffer.concat(chosen), count: chosen.length, cursor }
}

const keepPieces = 64

/** The same with the last pieces kept: a crowd that comes back from one place gets the same bytes. */
export function pieceCutter(most: number): (frames: Frame[], filter: Filter) => Piece | undefined {
  // A map would be rebuilt every few pieces, and what an old table of it holds outlives the next collections.
  const kept: Array<{ key: string; piece: Piece }> = []
  return function cut(frames, filter) {
    const key = `${frames[0]?.cursor} ${frames.length} ${filter.key}`
    const known = kept.find((one) => one.key === key)
    if (known) return known.piece
    const piece = pieceOf(frames, filter, most)
    if (piece && piece.bytes.length <= most) kept.push({ key, piece })
    if (kept.length > keepPieces) kept.shift()
    return piece
  }
}

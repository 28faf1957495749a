// Someone reading the feed. A subscriber is a place in it, not a buffer: what it has not read stays where it is.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Cursor } from '#shared/cursor.ts'
import type { Filter } from './filter.ts'
import { gapFrame } from './frame.ts'
import type { Measures } from './measures.ts'
import type { Piece } from './piece.ts'
import type { Question, Since } from './question.ts'

export type Subscriber = {
  response: ServerResponse
  /** Everything up to here has been written or did not match; undefined: it wants what comes from now on. */
  cursor: Cursor | undefined
  filter: Filter
  live: Filter
  /** The time it asked for, until something from then on has been written. */
  since: Since | undefined
  /** It brought its cursor along, and nobody has seen yet that the feed ever gave it. */
  isUnproven: boolean
  /** The last cursor it was told, or the place it began at: a time has none that the feed gave. */
  told: Cursor | undefined
  /** How many bytes it was given, and whether the connection wanted no more after the last of them. */
  given: number
  wasFull: boolean
  /** Since when (ms) it has not taken anything of what waits for it, and how much it had taken by then. */
  stuck: { at: number; taken: number } | undefined
}

// Clocks differ: what was received at a time may have been published a little before it.
const clocksDifferMs = 60_000

export function subscriberOf(response: ServerResponse, { from, since, filter, live }: Question): Subscriber {
  const start = since && `${Math.max(0, Math.min(since.time, Date.now()) - clocksDifferMs)}-0`
  const cursor = from ?? start
  const place = { cursor, since, isUnproven: from !== undefined, told: cursor }
  return { response, ...place, filter, live, given: 0, wasFull: false, stuck: undefined }
}

export function isOpen({ response }: Subscriber): boolean {
  return !response.destroyed && !response.writableEnded
}

/** Writes a piece; what it holds has then been looked at. */
export function write(subscriber: Subscriber, piece: Piece, measures: Measures): void {
  const { count, cursor, bytes } = piece
  subscriber.cursor = cursor
  if (count === 0) return
  subscriber.since = undefined
  subscriber.told = cursor
  put(subscriber, bytes)
  measures.messages.inc(count)
  measures.bytes.inc(bytes.length)
}

/** The only way to its connection, so that everything comes in the order in which it was written. */
export function put(subscriber: Subscriber, bytes: Buffer | string): void {
  subscriber.given += Buffer.byteLength(bytes)
  subscriber.wasFull = !subscriber.response.write(bytes)
}

// Whether something waits that the connection must take before it wants more: `drain` is going to tell of it.
function isFull({ response, wasFull }: Subscriber): boolean {
  return wasFull && response.writableLength > 0
}

/** Tells that everything after its place is gone, up to `to`; unless that lies before the time it asked for. */
export function writeGap(subscriber: Subscriber, to: Cursor, measures: Measures): void {
  const { cursor: from = to, since } = subscriber
  subscriber.cursor = to
  if (since && Number(to.split('-')[0]) < since.time) return
  subscriber.since = undefined
  subscriber.told = to
  put(subscriber, gapFrame(since?.text ?? from, to))
  measures.gaps.inc()
}

/**
 * A sign of life. Who filters hears how far the feed has come: an `id:` without data is no message, but the place to
 * come back to; else a subscriber for whom nothing matches would fall behind for ever.
 */
export function beat(subscriber: Subscriber): void {
  const { cursor, told, filter } = subscriber
  if (isFull(subscriber)) return
  const hasNews = filter.matches !== undefined && cursor !== undefined && cursor !== told
  put(subscriber, hasNews ? `id: ${cursor}\n:\n\n` : ':\n\n')
  if (hasNews) subscriber.told = cursor
}

/** Resolves when the connection takes more, or is gone. */
export async function room(subscriber: Subscriber): Promise<void> {
  const { response } = subscriber
  if (!isFull(subscriber) || response.destroyed) return
  const leaving = new AbortController()
  const left = () => leaving.abort()
  response.once('close', left)
  await once(response, 'drain', { signal: leaving.signal }).catch(() => undefined)
  response.off('close', left)
}

/** For how long (ms) what waits for it has not moved; 0 when nothing waits. */
export function stuckFor(subscriber: Subscriber, now: number): number {
  const { response, given, stuck } = subscriber
  const taken = given - response.writableLength
  if (!isFull(subscriber)) subscriber.stuck = undefined
  else if (stuck?.taken !== taken) subscriber.stuck = { at: now, taken }
  return subscriber.stuck ? now - subscriber.stuck.at : 0
}

// Someone reading the feed. A subscriber is a place in it, not a buffer: what it has not read stays where it is.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Cursor } from '#shared/event/cursor.ts'
import { clocksDifferMs } from '#shared/event/time.ts'
import { type Filter, withSince } from './filter.ts'
import { type Bound, boundOf } from './finite.ts'
import type { Form } from './form.ts'
import type { Gzip } from './gzip.ts'
import type { FeedMetrics } from './metrics.ts'
import type { Piece } from './piece.ts'
import type { Question } from './question.ts'
import type { Time } from './times.ts'

export type Subscriber = {
  response: ServerResponse
  form: Form
  /** Everything up to here has been written or did not match; undefined: it wants what comes from now on. */
  cursor: Cursor | undefined
  /** `filter` applies until it has caught up, `live` from then on. They differ when it asked for a time. */
  filter: Filter
  live: Filter
  /** The time it asked for, until something from then on has been written. */
  since: Time | undefined
  /** It came with a cursor, and it is not known yet whether the feed ever gave that. */
  isUnproven: boolean
  /** The last cursor that was sent to it, or the one with which it began. Undefined if it began at a time or at the end. */
  told: Cursor | undefined
  /** How many bytes it was given, and whether the connection wanted no more after the last of them. */
  given: number
  wasFull: boolean
  backlog: Backlog | undefined
  /** Where its answer ends, if it does. */
  bound: Bound | undefined
  /** How what it is given is compressed, if it is. */
  gzip: Gzip | undefined
}

/** `taken` counts the bytes that the connection has taken in all. */
export type Backlog = { bytes: number; taken: number; since: number; stuckSince: number }

type Given = { response: ServerResponse; question: Question; form: Form; live: Filter; gzip: Gzip | undefined }

export function subscriberOf({ response, question: { from, since, end }, form, live, gzip }: Given): Subscriber {
  // What was received at a time may have been published a little before it.
  const start = since && `${Math.max(0, Math.min(since.time, Date.now()) - clocksDifferMs)}-0`
  const cursor = from ?? start
  const filter = since ? withSince(live, since.time) : live
  const place = { cursor, since, isUnproven: from !== undefined, told: cursor }
  return { response, form, ...place, filter, live, given: 0, wasFull: false, backlog: undefined, bound: end && boundOf(end), gzip }
}

export function isOpen({ response }: Subscriber): boolean {
  return !response.destroyed && !response.writableEnded
}

/** Writes a piece; what it holds has then been looked at. */
export function write(subscriber: Subscriber, piece: Piece, measures: FeedMetrics): void {
  const { count, cursor, bytes } = piece
  subscriber.cursor = cursor
  if (count === 0) return
  subscriber.since = undefined
  subscriber.told = cursor
  put(subscriber, bytes)
  if (subscriber.bound) subscriber.bound.left -= count
  measures.messages.inc(count)
  measures.bytes.inc(bytes.length)
}

/** The only way to its connection, so that everything comes in the order in which it was written. */
export function put(subscriber: Subscriber, given: Buffer | string): void {
  const bytes = subscriber.gzip?.pack(given) ?? given
  subscriber.given += Buffer.byteLength(bytes)
  subscriber.wasFull = !subscriber.response.write(bytes)
}

// Whether the connection wants no more until it has taken what waits for it. Then `drain` is going to be emitted.
function isFull({ response, wasFull }: Subscriber): boolean {
  return wasFull && response.writableLength > 0
}

/** Tells that everything after its place is gone, up to `to`; unless that lies before the time it asked for. */
export function writeGap(subscriber: Subscriber, to: Cursor, measures: FeedMetrics): void {
  const { cursor: from = to, since } = subscriber
  subscriber.cursor = to
  if (since && Number(to.split('-')[0]) < since.time) return
  subscriber.since = undefined
  subscriber.told = to
  put(subscriber, subscriber.form.gap(since?.text ?? from, to))
  measures.gaps.inc()
}

/**
 * Sends a sign of life. A subscriber with a filter is also told how far the feed has come, in events by an `id:` without data,
 * which is no message. Without that, one for whom nothing matches would come back with a cursor that is older and older.
 */
export function beat(subscriber: Subscriber): void {
  if (isFull(subscriber)) return
  put(subscriber, news(subscriber) + subscriber.form.beat)
}

/** Ends an answer that has an end. */
export function finish(subscriber: Subscriber): void {
  const place = news(subscriber)
  if (place !== '') put(subscriber, `${place}\n`)
  subscriber.response.end(subscriber.gzip?.end())
}

// How far the feed has come, if its reader does not know by a message.
function news(subscriber: Subscriber): string {
  const { cursor, told, filter, form } = subscriber
  const isAll = filter.matches === undefined && filter.since === undefined
  if (isAll || cursor === undefined || cursor === told) return ''
  subscriber.told = cursor
  return form.place(cursor)
}

/** Resolves when the connection takes more, when it is gone, or when `patienceMs` are over. */
export async function room(subscriber: Subscriber, patienceMs?: number): Promise<void> {
  const { response } = subscriber
  if (!isFull(subscriber) || response.destroyed) return
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  const late = patienceMs === undefined ? undefined : setTimeout(leave, patienceMs)
  response.once('close', leave)
  await once(response, 'drain', { signal: leaving.signal }).catch(() => undefined)
  response.off('close', leave)
  clearTimeout(late)
}

/**
 * What waits for it: how many bytes, since when (ms) something has waited without a break, and since when nothing of it was
 * taken. Undefined while the connection takes everything. To be asked at regular intervals, since it compares with the last
 * time.
 */
export function backlogOf(subscriber: Subscriber, now: number): Backlog | undefined {
  const { response, given, backlog } = subscriber
  if (!isFull(subscriber)) subscriber.backlog = undefined
  else {
    const bytes = response.writableLength
    const taken = given - bytes
    const stuckSince = backlog?.taken === taken ? backlog.stuckSince : now
    subscriber.backlog = { bytes, taken, since: backlog?.since ?? now, stuckSince }
  }
  return subscriber.backlog
}

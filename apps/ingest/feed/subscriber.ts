// Someone reading the feed. A subscriber is a place in it, not a buffer: what it has not read stays where it is.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { Cursor } from '#shared/cursor.ts'
import type { Filter } from './filter.ts'
import { gapFrame } from './frame.ts'
import type { Measures } from './measures.ts'
import type { Piece } from './piece.ts'
import type { Question, Since } from './question.ts'

export type Subscriber = {
  response: ServerResponse
  /** Whether the body of its response goes in chunks. */
  isChunked: boolean
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
  /** Since when (ms) it has not taken anything of what waits for it, and how much it had taken by then. */
  stuck: { at: number; taken: number } | undefined
}

// Clocks differ: what was received at a time may have been published a little before it.
const clocksDifferMs = 60_000

export function subscriberOf(response: ServerResponse, { from, since, filter, live }: Question): Subscriber {
  const start = since && `${Math.max(0, Math.min(since.time, Date.now()) - clocksDifferMs)}-0`
  const cursor = from ?? start
  const isChunked = response.req.httpVersion === '1.1'
  return { response, isChunked, cursor, filter, live, since, isUnproven: from !== undefined, told: cursor, stuck: undefined }
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
  send(subscriber, piece)
  measures.messages.inc(count)
  measures.bytes.inc(bytes.length)
}

/**
 * Puts the messages of a piece on the wire. Where the body goes in chunks, as HTTP/1.1 wants it, they are one already:
 * to have each response make its own would be a fifth of what a message costs.
 */
export function send({ response, isChunked }: Subscriber, { bytes, chunk }: Piece): void {
  const { socket } = response
  if (isChunked && socket && !response.writableEnded) socket.write(chunk)
  else response.write(bytes)
}

/** Tells that everything after its place is gone, up to `to`; unless that lies before the time it asked for. */
export function writeGap(subscriber: Subscriber, to: Cursor, measures: Measures): void {
  const { cursor: from = to, since } = subscriber
  subscriber.cursor = to
  if (since && Number(to.split('-')[0]) < since.time) return
  subscriber.since = undefined
  subscriber.told = to
  subscriber.response.write(gapFrame(since?.text ?? from, to))
  measures.gaps.inc()
}

/**
 * A sign of life. Who filters hears how far the feed has come: an `id:` without data is no message, but the place to
 * come back to; else a subscriber for whom nothing matches would fall behind for ever.
 */
export function beat(subscriber: Subscriber): void {
  const { response, cursor, told, filter } = subscriber
  if (connectionOf(response).writableNeedDrain) return
  if (filter.matches === undefined || cursor === undefined || cursor === told) return void response.write(':\n\n')
  subscriber.told = cursor
  response.write(`id: ${cursor}\n:\n\n`)
}

/** Resolves when the connection takes more, or is gone. */
export async function room({ response }: Subscriber): Promise<void> {
  const connection = connectionOf(response)
  if (!connection.writableNeedDrain || response.destroyed) return
  const leaving = new AbortController()
  const left = () => leaving.abort()
  response.once('close', left)
  await once(connection, 'drain', { signal: leaving.signal }).catch(() => undefined)
  response.off('close', left)
}

/** For how long (ms) what waits for it has not moved; 0 when nothing waits. */
export function stuckFor(subscriber: Subscriber, now: number): number {
  const { response, stuck } = subscriber
  const taken = (response.socket?.bytesWritten ?? 0) - response.writableLength
  if (!connectionOf(response).writableNeedDrain) subscriber.stuck = undefined
  else if (stuck?.taken !== taken) subscriber.stuck = { at: now, taken }
  return subscriber.stuck ? now - subscriber.stuck.at : 0
}

// What fills up: the connection, or the response as long as another one has the connection before it.
function connectionOf(response: ServerResponse): Writable {
  return response.socket ?? response
}

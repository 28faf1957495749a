// One reader of the feed. A subscriber is a cursor, not a buffer: it takes what comes after its cursor, from the tail's
// window or from the relay, writes a bounded piece, and waits until the connection has taken it. History and live
// messages are the same loop, so there is no seam between them, and a reader that stops reading costs one piece.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Cursor, Relay } from '#shared/relay.ts'
import { type Frame, frameOf, type Tail } from './tail.ts'

const pieceBytes = 256 * 1024
const pageMessages = 100

type Parts = { response: ServerResponse; from: Cursor | undefined; tail: Tail; history: Relay }

/** Serves one subscriber from the cursor `from` (undefined: from now on) until it goes away or its stream is ended. */
export async function serve({ response, from, tail, history }: Parts): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())

  let cursor = from
  while (!gone.signal.aborted) {
    const next = tail.next()
    cursor ??= tail.newest()
    const frames = cursor === undefined ? [] : (tail.after(cursor) ?? (await page(history, cursor)))
    if (response.writableEnded) return
    const piece = pieceOf(frames)
    if (!piece) await either(next, gone.signal)
    else {
      cursor = piece.cursor
      if (!response.write(piece.bytes)) await drained(response, gone.signal)
    }
  }
}

// While the relay cannot be read its subscribers stay, and go on from their cursor when it can.
async function page(history: Relay, cursor: Cursor): Promise<Frame[]> {
  try {
    return (await history.read(cursor, pageMessages, { bytes: pieceBytes })).map(frameOf)
  } catch {
    await pause(1000)
    return []
  }
}

// Joins the first of `frames` into a piece of about `pieceBytes`: a backlog takes few writes but no peak of memory.
function pieceOf(frames: Frame[]): Frame | undefined {
  let count = 0
  for (let size = 0; count < frames.length && size < pieceBytes; count++) size += frames[count]?.bytes.length ?? 0
  const last = frames[count - 1]
  if (count < 2 || !last) return last
  return { cursor: last.cursor, bytes: Buffer.concat(frames.slice(0, count).map(({ bytes }) => bytes)) }
}

// Not Promise.race: with a promise that lives as long as the connection it would keep something for each message.
function either(next: Promise<void>, gone: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = () => resolve()
  gone.addEventListener('abort', stop)
  void next.then(stop)
  return promise.finally(() => gone.removeEventListener('abort', stop))
}

async function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  if (!response.writableNeedDrain) return
  try {
    await once(response, 'drain', { signal: gone })
  } catch (error) {
    if (!gone.aborted) throw error
  }
}

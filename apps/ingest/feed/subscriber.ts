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

type Parts = { response: ServerResponse; from: Cursor | undefined; tail: Tail; history: Relay; signal: AbortSignal }

/** Serves one subscriber from the cursor `from` (undefined: from now on) until it goes away or `signal` aborts. */
export async function serve({ response, from, tail, history, signal }: Parts): Promise<void> {
  const gone = new AbortController()
  const ended = AbortSignal.any([signal, gone.signal])
  const goneOrStopped = new Promise<void>((resolve) => ended.addEventListener('abort', () => resolve()))
  response.on('close', () => gone.abort())

  let cursor = from
  while (!ended.aborted) {
    const next = tail.next()
    cursor ??= tail.newest()
    const frames = cursor === undefined ? [] : (tail.after(cursor) ?? (await page(history, cursor)))
    if (frames.length === 0) await Promise.race([next, goneOrStopped])
    for (const piece of pieces(frames)) {
      if (ended.aborted) return
      cursor = piece.cursor
      if (!response.write(piece.bytes)) await drained(response, ended)
    }
  }
}

// While the relay cannot be read its subscribers stay, and go on from their cursor when it can.
async function page(history: Relay, cursor: Cursor): Promise<Frame[]> {
  try {
    return (await history.read(cursor, pageMessages)).map(frameOf)
  } catch {
    await pause(1000)
    return []
  }
}

// Joins frames into pieces of about `pieceBytes`, so that a backlog takes few writes but no peak of memory.
function* pieces(frames: Frame[]): Generator<Frame> {
  let waiting: Frame[] = []
  let size = 0
  for (const frame of frames) {
    waiting.push(frame)
    size += frame.bytes.length
    if (size < pieceBytes && frame !== frames.at(-1)) continue
    const [only] = waiting
    yield waiting.length === 1 && only ? only : { cursor: frame.cursor, bytes: Buffer.concat(waiting.map(({ bytes }) => bytes)) }
    waiting = []
    size = 0
  }
}

async function drained(response: ServerResponse, ended: AbortSignal): Promise<void> {
  if (!response.writableNeedDrain) return
  try {
    await once(response, 'drain', { signal: ended })
  } catch (error) {
    if (!ended.aborted) throw error
  }
}

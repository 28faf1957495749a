// Reads the end of the relay once for all subscribers of this process. Each new message is framed once, kept in a small window
// in memory, and given to every listener. A subscriber that is further behind reads from the history.
import { setTimeout as pause } from 'node:timers/promises'
import { beginning, type Cursor, compareCursors } from '#shared/event/cursor.ts'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import type { Relay } from '#shared/queue/relay.ts'
import { firstChain } from './chain.ts'
import { type Frame, frameOf } from './frame.ts'

/** Messages that came together; nothing is between `after` and the first of them. */
export type Batch = { after: Cursor; frames: Frame[] }

export type Tail = {
  /** The cursor of the newest message; undefined until the relay could be asked for the first time. */
  newest: () => Cursor | undefined
  /** The frames after `cursor`, oldest first; undefined when it lies before the window. */
  after: (cursor: Cursor) => Frame[] | undefined
  /** The newest frames of the window, at most `count`, oldest first. */
  latest: (count: number) => Frame[]
  /** Settles when something has changed: new messages, or the relay could be read at last. */
  next: () => Promise<void>
  /**
   * Calls `listener` with each batch as it comes; without a batch when the cursors of all subscribers must be checked anew, as
   * after the loss of the relay. The listener may take its time: the next batch waits for it.
   */
  listen: (listener: (batch?: Batch) => Promise<void>) => void
}

const windowMessages = 1000
const windowBytes = 4 * 1024 * 1024
const mostAtOnce = 128
const longestRest = 10
const blockMs = 2000
const mostAskingMs = 500

/**
 * Follows `relay`, which needs a connection of its own, until `signal` aborts. Resolves when the newest message is known, so
 * that whoever comes has a place at once; while the relay is away, soon.
 */
export async function followTail({ relay, signal, log }: { relay: Relay; signal: AbortSignal; log: Log }): Promise<Tail> {
  let window: Frame[] = []
  let bytes = 0
  let start: Cursor | undefined // everything after it, up to the newest, is in the window
  let newest: Cursor | undefined
  let wake = Promise.withResolvers<void>()
  const listeners: Array<(batch?: Batch) => Promise<void>> = []

  function startAt(cursor: Cursor) {
    window = []
    bytes = 0
    start = newest = cursor
  }

  async function add(batch: Batch) {
    // After a hole, as when Redis came back empty, the window begins anew: nothing in it is beyond the hole.
    if (newest === undefined || compareCursors(batch.after, newest) > 0) startAt(batch.after)
    window.push(...batch.frames)
    bytes += sizeOf(batch.frames)
    newest = batch.frames.at(-1)?.cursor ?? newest
    while (window.length > windowMessages || (bytes > windowBytes && window.length > 1)) {
      const dropped = window.splice(0, Math.ceil(window.length / 4))
      bytes -= sizeOf(dropped)
      start = dropped.at(-1)?.cursor ?? start
    }
    if (!signal.aborted) await tell(batch)
  }

  async function tell(batch?: Batch) {
    wake.resolve()
    wake = Promise.withResolvers<void>()
    await Promise.all(listeners.map((listener) => listener(batch)))
  }

  // The relay was lost and has begun anew below what we have seen: nothing would ever come after that.
  async function lookBack(seen: Cursor) {
    const now = await relay.newest()
    if (now === beginning || compareCursors(now, seen) >= 0) return
    startAt(now)
    await tell()
  }

  async function follow() {
    while (!signal.aborted) {
      try {
        if (newest === undefined) {
          startAt(await relay.newest())
          await tell()
        }
        const from = newest ?? beginning
        const entries = await relay.read(from, mostAtOnce, { block: blockMs })
        if (entries.length === 0) await lookBack(from)
        const began = performance.now()
        for (let left = entries.map(frameOf); left.length > 0; ) {
          const frames = firstChain(left)
          await add({ after: frames[0]?.previous ?? from, frames })
          left = left.slice(frames.length)
        }
        await rest(performance.now() - began)
      } catch (error) {
        if (!signal.aborted) log.warn({ reason: inWords(error) }, 'cannot read the relay')
        await pause(500)
      }
    }
    window = []
  }
  void follow()
  await Promise.race([wake.promise, pause(mostAskingMs, undefined, { ref: false })])

  return {
    newest: () => newest,
    after(cursor) {
      if (start === undefined || compareCursors(cursor, start) < 0) return undefined
      return window.slice(firstAfter(window, cursor))
    },
    latest: (count) => window.slice(-count),
    next: () => wake.promise,
    listen: (listener) => void listeners.push(listener),
  }
}

// How long to rest after a batch that took `took` ms. With many subscribers each message is work; what comes during a rest goes
// out together, which is less work.
async function rest(took: number): Promise<void> {
  if (took >= 1) await pause(Math.min(took / 2, longestRest))
}

function sizeOf(frames: Frame[]): number {
  return frames.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function firstAfter(frames: Frame[], cursor: Cursor): number {
  let low = 0
  let high = frames.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const frame = frames[middle]
    if (frame && compareCursors(frame.cursor, cursor) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

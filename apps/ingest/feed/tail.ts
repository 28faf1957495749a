// The end of the relay, read once for all subscribers of this process: each new message is framed once, kept in a small
// window in memory, and everybody who waits is woken. Whoever is further behind reads from the relay itself.
import { setTimeout as pause } from 'node:timers/promises'
import { inWords } from '#shared/errors.ts'
import type { Log } from '#shared/log.ts'
import { type Cursor, compareCursors, type Entry, type Relay } from '#shared/relay.ts'

/** One message as it goes over the wire. */
export type Frame = { cursor: Cursor; bytes: Buffer }

export type Tail = {
  /** The cursor of the newest message; undefined until the relay could be asked for the first time. */
  newest: () => Cursor | undefined
  /** The frames after `cursor`, oldest first; undefined when it lies before the window. */
  after: (cursor: Cursor) => Frame[] | undefined
  /** Settles when the next messages have come. Take it before looking, and no message is missed. */
  next: () => Promise<void>
}

const windowMessages = 1000
const windowBytes = 16 * 1024 * 1024
const blockMs = 5000

/** Follows `relay`, which needs a connection of its own, until `signal` aborts. */
export function followTail({ relay, signal, log }: { relay: Relay; signal: AbortSignal; log: Log }): Tail {
  let window: Frame[] = []
  let bytes = 0
  let start: Cursor | undefined // everything after it is in the window
  let newest: Cursor | undefined
  let wake = Promise.withResolvers<void>()

  function add(entries: Entry[]) {
    const frames = entries.map(frameOf)
    window.push(...frames)
    bytes += sizeOf(frames)
    while (window.length > windowMessages || (bytes > windowBytes && window.length > 1)) {
      const dropped = window.splice(0, Math.ceil(window.length / 4))
      bytes -= sizeOf(dropped)
      start = dropped.at(-1)?.cursor ?? start
    }
    newest = frames.at(-1)?.cursor ?? newest
    announce()
  }

  function announce() {
    wake.resolve()
    wake = Promise.withResolvers<void>()
  }

  async function follow() {
    while (!signal.aborted) {
      try {
        if (newest === undefined) {
          start = newest = await relay.newest()
          announce()
        }
        const entries = await relay.read(newest, 50, { block: blockMs })
        if (entries.length > 0) add(entries)
      } catch (error) {
        if (!signal.aborted) log.warn({ reason: inWords(error) }, 'cannot read the relay')
        await pause(500)
      }
    }
    window = []
  }
  void follow()

  return {
    newest: () => newest,
    after(cursor) {
      if (start === undefined || compareCursors(cursor, start) < 0) return undefined
      return window.slice(firstAfter(window, cursor))
    },
    next: () => wake.promise,
  }
}

export function frameOf({ cursor, message }: Entry): Frame {
  return { cursor, bytes: Buffer.from(`id: ${cursor}\ndata: ${message}\n\n`) }
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

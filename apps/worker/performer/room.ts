// A room for all jobs of a process: many are in it at once, or one alone.
import { setTimeout as pause } from 'node:timers/promises'

export type Leave = () => void

export type Room = {
  /** Goes in as soon as nobody is alone in there, or waits to be. */
  enter: () => Promise<Leave>
  /** Goes in when all others have left, and keeps new ones out; after a while they come in beside. Throws when `signal` aborts. */
  enterAlone: (signal: AbortSignal) => Promise<Leave>
}

// Bounds for how long other jobs are kept out: by one that runs alone, and while one waits for the room to be empty.
const aloneMs = 60_000
const emptyingMs = 20_000
const restMs = 20_000

export function openRoom(): Room {
  let inside = 0
  let shut: Promise<void> | undefined
  let onEmpty = Promise.withResolvers<true>()

  function goIn(): Leave {
    inside += 1
    return () => {
      inside -= 1
      if (inside > 0) return
      onEmpty.resolve(true)
      onEmpty = Promise.withResolvers()
    }
  }

  function shutDoor(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    shut = promise
    return () => {
      if (shut === promise) shut = undefined
      resolve()
    }
  }

  async function isEmptySoon(signal: AbortSignal): Promise<boolean> {
    if (inside === 0) return true
    const waiting = new AbortController()
    const late = pause(emptyingMs, false, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(() => false)
    const isEmpty = await Promise.race([onEmpty.promise, late])
    waiting.abort()
    return isEmpty
  }

  return {
    async enter() {
      while (shut) await shut
      return goIn()
    },
    async enterAlone(signal) {
      for (;;) {
        while (shut) await shut
        signal.throwIfAborted()
        const openDoor = shutDoor()
        if (await isEmptySoon(signal)) {
          const leave = goIn()
          const late = setTimeout(openDoor, aloneMs)
          return () => {
            clearTimeout(late)
            leave()
            openDoor()
          }
        }
        openDoor()
        await pause(restMs, undefined, { signal })
      }
    },
  }
}

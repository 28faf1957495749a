// Room for the bodies of senders that are not known yet: whether a signature is right is only known when the whole body is
// there. A sender that finds no room waits. While somebody waits, those inside that do not get on must leave. The newest goes
// in first, since one that has waited for long has probably given up.

/** A stay in the room. `signal` aborts when the guest must go; `came` is told how many bytes have come. */
export type Stay = { signal: AbortSignal; came: (bytes: number) => void; leave: () => void }

/** Resolves with a stay once there is room for `bytes`, or with undefined when too many newer ones wait. */
export type Enter = (bytes: number) => Promise<Stay | undefined>

type Guest = {
  bytes: number
  since: number
  came: number
  /** How many bytes had come at the last look. */
  seen: number | undefined
  leaving: AbortController
  welcome: (stay: Stay | undefined) => void
}

type Size = {
  bytes: number
  /** How many may be inside, and as many may wait. */
  guests: number
  /** While somebody waits, it is looked every `lookMs` at who is inside. */
  lookMs: number
  /** A guest must leave that has sent fewer bytes than this since the last look, */
  leastBytes: number
  /** or that has been inside for so long. */
  patienceMs: number
}

export function openRoom({ bytes, guests, lookMs, leastBytes, patienceMs }: Size): Enter {
  const inside = new Set<Guest>()
  const waiting: Guest[] = []
  let free = bytes
  let looking: NodeJS.Timeout | undefined

  function admit(): void {
    for (let next = waiting.at(-1); next && next.bytes <= free && inside.size < guests; next = waiting.at(-1)) {
      waiting.pop()
      letIn(next)
    }
    if (waiting.length > guests) waiting.shift()?.welcome(undefined)
    if (waiting.length > 0 && !looking) looking = setTimeout(look, lookMs)
  }

  function letIn(guest: Guest): void {
    free -= guest.bytes
    guest.since = performance.now()
    inside.add(guest)
    guest.welcome({
      signal: guest.leaving.signal,
      came(count) {
        guest.came += count
      },
      leave: () => leave(guest),
    })
  }

  function look(): void {
    looking = undefined
    const late = performance.now() - patienceMs
    for (const guest of inside) {
      const isStuck = guest.seen !== undefined && guest.came - guest.seen < leastBytes
      guest.seen = guest.came
      if (waiting.length === 0 || !(isStuck || guest.since <= late)) continue
      guest.leaving.abort()
      leave(guest)
    }
    admit()
  }

  function leave(guest: Guest): void {
    if (!inside.delete(guest)) return
    free += guest.bytes
    admit()
  }

  return (wanted) =>
    new Promise((welcome) => {
      const leaving = new AbortController()
      waiting.push({ bytes: Math.min(wanted, bytes), since: 0, came: 0, seen: undefined, leaving, welcome })
      admit()
    })
}

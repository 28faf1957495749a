// Files of processes on other hosts. One of these may have been our predecessor, so its deliveries go before ours, until its
// file is gone or taken over. An owner that has been seen for a minute lives beside us, and is not waited for any longer:
// across processes that live at the same time no order is promised.
import { ageOf, ownerOf } from './names.ts'

export type Strangers = {
  /** What was found, at `now` (ms, of a clock that is never set). */
  see: (names: string[], now?: number) => void
  /** Whether a process that must be waited for has a file older than `age`; without `age`, whether it has any. */
  areBefore: (age: string | undefined) => boolean
}

const patienceMs = 60_000
const forgetMs = 600_000

export function watchStrangers(): Strangers {
  const owners = new Map<string, { first: number; last: number }>()
  let oldest: string | undefined

  return {
    see(names, now = performance.now()) {
      for (const owner of names.map(ownerOf)) owners.set(owner, { first: owners.get(owner)?.first ?? now, last: now })
      for (const [owner, { last }] of owners) if (now - last > forgetMs) owners.delete(owner)
      const mayBeDead = (name: string) => now - (owners.get(ownerOf(name))?.first ?? now) < patienceMs
      oldest = names.filter(mayBeDead).map(ageOf).toSorted()[0]
    },
    areBefore: (age) => oldest !== undefined && (age === undefined || oldest < age),
  }
}

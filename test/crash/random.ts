// Chance that can be had again: everything a round decides comes from one seed.

export type Random = {
  /** A number from 0 up to, not including, 1. */
  next: () => number
  /** A whole number between `least` and `most`. */
  whole: (least: number, most: number) => number
  chance: (probability: number) => boolean
  pick: <T>(items: readonly [T, ...T[]]) => T
  /** Another one, which this one decides; what the two are asked does not disturb the other. */
  fork: () => Random
}

/** Mulberry32: small, fast, and even enough to decide who dies next. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    pick: (items) => items[whole(0, items.length - 1)] ?? items[0],
    fork: () => randomFrom(whole(0, 2 ** 31)),
  }
}

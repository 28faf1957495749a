import type { Fence } from './fence.ts'

/** The fence of a dry run: it lets nothing through. */
export const closedFence: Fence = {
  limitMs: 0,
  pass: () => Promise.reject(new Error('A dry run changes nothing.')),
  answered: () => undefined,
  undone: () => undefined,
}

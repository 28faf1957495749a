// When an attempt has failed for no reason that concerns the remote as a whole: again after a growing, jittered delay,
// a limited number of times. The whole of it takes about a quarter of an hour.
//
//   attempt  1   2   3    4    5    6      7       8
//   after        1 s 3 s  9 s  27 s 81 s   243 s   600 s
const attempts = 8
const firstDelayMs = 1000
const longestDelayMs = 600_000

/** Job options of effects and journal entries. */
export const retries = { attempts, backoff: { type: 'custom' }, stackTraceLimit: 1 }

/** How long to wait after the attempt with this number (from 1), in ms: between 75 % and 100 % of the table. */
export function retryDelay(attemptsMade: number, random = Math.random()): number {
  const delay = Math.min(longestDelayMs, firstDelayMs * 3 ** (attemptsMade - 1))
  return Math.round(delay * (0.75 + random / 4))
}

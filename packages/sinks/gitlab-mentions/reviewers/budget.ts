// How long one merge request may keep a worker busy with the reviewers page. The page is open to the world, so every
// kind of work has an end: an expression, all expressions together, those that need a backtracking engine, and the
// whole; and now and then the work steps aside for the worker's other jobs.
import { setImmediate } from 'node:timers/promises'

/** Milliseconds of work: for everything, for all expressions, for all that backtrack, for one expression, between two breaths. */
export type WorkLimits = {
  totalMs: number
  expressionsMs: number
  backtrackingMs: number
  linearMs: number
  backtrackMs: number
  sliceMs: number
}

// An honest page takes about 1 ms; the worst honest case measured (470 rules, 3,000 paths) stays under 1 s.
export const defaultLimits: WorkLimits = {
  totalMs: 2000,
  expressionsMs: 1500,
  backtrackingMs: 250,
  linearMs: 200,
  backtrackMs: 50,
  sliceMs: 10,
}

/** What is left of the time for some kind of expression: never more than `eachMs` for one of them. */
export type Purse = { readonly eachMs: number; leftMs: number }

/** One match's time. `breathe` gives way to other jobs if it is time; only work counts as spent, not the waiting. */
export type Budget = { linear: Purse; backtracking: Purse; isSpent: () => boolean; isDue: () => boolean; breathe: () => Promise<void> }

/** The processor time of this thread, in ms: while others have the processor no work is done. The clock is quicker to ask. */
export function workedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** What it looks at in ms, and how it gives way; others are there for tests. */
const usual = { worked: workedMs, clock: () => performance.now(), pause: (): Promise<unknown> => setImmediate() }

/** Starts the clock. */
export function createBudget(limits: WorkLimits = defaultLimits, { worked, clock, pause }: typeof usual = usual): Budget {
  let spentMs = 0
  let [before, since] = [worked(), clock()]
  return {
    linear: { eachMs: limits.linearMs, leftMs: limits.expressionsMs },
    backtracking: { eachMs: limits.backtrackMs, leftMs: limits.backtrackingMs },
    isSpent: () => spentMs + worked() - before >= limits.totalMs,
    isDue: () => clock() - since >= limits.sliceMs,
    async breathe() {
      spentMs += worked() - before
      await pause()
      ;[before, since] = [worked(), clock()]
    },
  }
}

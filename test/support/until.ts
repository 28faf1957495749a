// Waiting for a condition, instead of sleeping and hoping.
import { setTimeout as pause } from 'node:timers/promises'

// Nobody waits for so long but on a machine that is very busy, or when it is in vain.
const usualPatience = 90_000

// It is asked often at first, and less often the longer it takes: asking costs both sides, and many files wait at a time.
const pauseMs = (waitedMs: number) => Math.min(20 + waitedMs / 20, 100)

/**
 * What `condition` answers as soon as that is truthy. Throws after `patience` ms, with the last error if there was one; a test
 * gives its own only where it promises something about a time.
 */
export async function until<T>(condition: () => T | Promise<T>, what: string, patience = usualPatience): Promise<NonNullable<T>> {
  const since = performance.now()
  let last: unknown
  for (;;) {
    // Also after a time in which the machine had none for us it is looked once more.
    const isLast = performance.now() - since >= patience
    try {
      const answer = await condition()
      if (answer) return answer
    } catch (error) {
      last = error
    }
    if (isLast) throw new Error(`Waited ${patience} ms in vain until ${what}.`, { cause: last })
    await pause(pauseMs(performance.now() - since))
  }
}

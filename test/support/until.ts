// Waiting for a condition, instead of sleeping and hoping.
import { setTimeout as pause } from 'node:timers/promises'

/** What `condition` answers as soon as that is truthy. Throws after `patience` ms, with the last error if there was one. */
export async function until<T>(condition: () => T | Promise<T>, what: string, patience = 45_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + patience
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const answer = await condition()
      if (answer) return answer
    } catch (error) {
      last = error
    }
    await pause(20)
  }
  throw new Error(`Waited ${patience} ms in vain until ${what}.`, { cause: last })
}

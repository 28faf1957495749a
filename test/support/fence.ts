// A fence for tests of remotes and sinks: whether it lets a call through, and what it was told of the answer.
import type { Fence } from '#sinks/fence.ts'

export type Told = Fence & { told: string[] }

/** A fence that `pass` decides about. */
export function fenceOf(pass: () => Promise<void> = () => Promise.resolve(), limitMs = 15_000): Told {
  const told: string[] = []
  return { limitMs, pass, told, answered: () => void told.push('answered'), undone: () => void told.push('undone') }
}

// What a sink is told of one effect that it performs.
import type { Fence } from './fence.ts'
import type { History } from './history.ts'

export type Context = {
  history: History
  /** When the event happened: nothing of this effect can exist from before. */
  since: Date
  signal: AbortSignal
  /** What the remote made for other effects with the same order, by the id it gave: not ours, however alike. */
  madeForOthers: () => Promise<Set<string>>
  /** What was made for this effect already, by the id that the remote gave it, as far as the ledger knows; of `maybe-done` only. */
  made: string | undefined
  /** Behind it the one call that cannot be undone is made. */
  fence: Fence
  /** Look, and answer `onlyWould` right before that call. Only a sink that looks is asked. */
  dryRun: boolean
}

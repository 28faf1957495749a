// Whether an effect may have been made before: one question, which a sink answers by looking for it or not.
import type { Effect } from '#shared/event/effect.ts'

/**
 * `new`: surely not made yet, so it need not be looked for. `maybe-done`: it may have been made, and is looked for. `redo`: an
 * operator has sent its delivery through again. It is looked for as well, and what the ledger has for it does not count.
 */
export type History = 'new' | 'maybe-done' | 'redo'

/** The history of an effect that may have been made before. */
export function repeatOf({ anew }: Pick<Effect, 'anew'>): Exclude<History, 'new'> {
  return anew === true ? 'redo' : 'maybe-done'
}

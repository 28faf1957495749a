// Keeps count of a replay while it runs. The outcome of each effect is written into the journal at once. From time to time the
// progress is told, and it is read whether an operator has stopped the replay.
import type { Database } from '#shared/journal/database.ts'
import type { Tables } from '#shared/journal/tables.ts'
import { type Progress, replayOf } from './list.ts'

export type ReplayTally = {
  /** The effect with this number in the replay came to that. */
  count: (number: number, outcome: NonNullable<Tables['replay_effects']['outcome']>) => Promise<void>
  /** Writes down how far the replay has come. */
  save: () => Promise<void>
  /** Whether it is still to go on, as it was written last. */
  isGoing: () => boolean
}

type Parts = { replay: number; act: number | null; onProgress: (progress: Progress) => void }

/** The tally of `replay`; `act` gets how many effects are put back from now on. */
export function openTally(database: Database, { replay, act, onProgress }: Parts): ReplayTally {
  let putBack = 0
  let isGoing = true

  return {
    async count(number, outcome) {
      await database.updateTable('replay_effects').set({ outcome }).where('number', '=', number).execute()
      if (outcome === 'back') putBack += 1
    },
    async save() {
      if (act !== null) await database.updateTable('acts').set({ count: putBack }).where('id', '=', act).execute()
      const progress = await replayOf(database, replay)
      isGoing = progress.state === 'going'
      onProgress(progress)
    },
    isGoing: () => isGoing,
  }
}

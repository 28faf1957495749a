// Has gathered what the journal is told: shortly after this process has told it something, so that what comes meanwhile
// goes along, and every second, for those who died before they came to it.

import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { gather } from '#shared/queue/outbox.ts'
import type { QueuePlace } from '#shared/queue/queues.ts'
import { retries } from '#shared/queue/retries.ts'

const soonMs = 25
const laterMs = 1000

/** `soon` is to be called when there is something to gather; `stop` leaves what there is to others. */
export function startGathering(place: QueuePlace, log: Log): { soon: () => void; stop: () => void } {
  let due: NodeJS.Timeout | undefined
  let isBusy = false

  function soon(): void {
    due ??= setTimeout(() => void run(), soonMs)
  }

  // One at a time: while Redis is away none pile up.
  async function run(): Promise<void> {
    clearTimeout(due)
    due = undefined
    if (isBusy) return soon()
    isBusy = true
    await gather(place, retries).catch((error: unknown) => log.warn({ reason: inWords(error) }, 'could not gather'))
    isBusy = false
  }

  const regular = setInterval(() => void run(), laterMs)
  return {
    soon,
    stop() {
      clearInterval(regular)
      clearTimeout(due)
    },
  }
}

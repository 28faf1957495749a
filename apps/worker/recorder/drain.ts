// Drains the outbox: shortly after this process put something into it, so that what comes meanwhile goes along, and every
// second, for processes that died before they could.

import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { drainOutbox } from '#shared/queue/outbox.ts'
import type { QueuePlace } from '#shared/queue/queues.ts'
import { retries } from '#shared/queue/retries.ts'

const soonMs = 100
const laterMs = 1000

/** `soon` is to be called when something was put into the outbox; `stop` leaves what is in it to others. */
export function startDrain(place: QueuePlace, log: Log): { soon: () => void; stop: () => void } {
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
    await drainOutbox(place, retries).catch((error: unknown) => log.warn({ reason: inWords(error) }, 'could not drain the outbox'))
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

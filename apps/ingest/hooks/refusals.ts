// Deliveries that could not be kept are lost. How many there were, and when, is told to Redis as soon as it takes that.
import { randomBytes } from 'node:crypto'
import { type Loss, rememberLoss } from '#shared/queue/losses.ts'
import type { QueuePlace } from '#shared/queue/queues.ts'

export type Refusals = {
  /** One more was refused. */
  add: () => void
  /** Tells what has not been told yet, if Redis takes it, and ends. */
  close: () => Promise<void>
}

type Untold = Loss & { id: string; count: number; isTold: boolean }

// Those that follow one another within a minute are one loss. Of more losses than this the earliest are put together.
const togetherMs = 60_000
const mostUntold = 100
const tellMs = 1000

/** Remembers refusals; `redis` must be a connection that answers or fails at once. */
export function rememberRefusals(place: QueuePlace): Refusals {
  let losses: Untold[] = []
  let isTelling = false

  function add(): void {
    const now = new Date().toISOString()
    const last = losses.at(-1)
    if (last && (Date.parse(now) - Date.parse(last.until) < togetherMs || losses.length >= mostUntold))
      Object.assign(last, { until: now, count: last.count + 1, isTold: false })
    else losses.push({ id: randomBytes(4).toString('hex'), kind: 'refused', since: now, until: now, count: 1, isTold: false })
  }

  async function tell(): Promise<void> {
    if (isTelling || losses.length === 0) return
    isTelling = true
    for (const one of losses.filter(({ isTold }) => !isTold)) {
      const { id, isTold: _, ...loss } = one
      one.isTold = true
      await rememberLoss(place, id, loss).catch(() => {
        one.isTold = false
      })
    }
    losses = losses.filter(({ isTold, until }) => !isTold || Date.now() - Date.parse(until) < togetherMs)
    isTelling = false
  }

  const timer = setInterval(() => void tell(), tellMs).unref()
  return {
    add,
    async close() {
      clearInterval(timer)
      await tell()
    },
  }
}

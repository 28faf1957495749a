// Whether all that was handed in is through: routed, and its effects ended. What waits for a remote may wait for hours, so it
// is waited for only while something moves.
import { setTimeout as pause } from 'node:timers/promises'
import { countJobs } from '#shared/queue/counts.ts'
import { present } from '#shared/queue/presence.ts'
import { flowNames } from '#sinks/queues.ts'
import type { OpsContext } from '../context.ts'

const lookMs = 200
const patienceMs = 5000
// After the loss of Redis a worker that lives says so again within this time.
const patienceWithoutWorkersMs = 3500

/**
 * Waits until no delivery and no effect is under way, nothing has moved for five seconds, or less long without a worker, or `signal` aborts;
 * `onProgress` is told how many are left. Answers how many are left.
 */
export async function awaitDrained(context: OpsContext, signal: AbortSignal, onProgress: (left: number) => void): Promise<number> {
  let [least, moved] = [Number.POSITIVE_INFINITY, Date.now()]
  for (;;) {
    const left = await countLeft(context)
    onProgress(left)
    if (left < least) [least, moved] = [left, Date.now()]
    const isWorked = (await present(context)).some(({ app }) => app === 'worker')
    const patientMs = isWorked ? patienceMs : patienceWithoutWorkersMs
    if (left === 0 || signal.aborted || Date.now() - moved > patientMs) return left
    await pause(lookMs, undefined, { signal }).catch(() => undefined)
  }
}

async function countLeft({ queues, ...place }: OpsContext): Promise<number> {
  const counts = await Promise.all(flowNames.map((name) => countJobs(queues[name], place)))
  return counts.reduce((sum, { waiting, active, delayed }) => sum + waiting + active + delayed, 0)
}

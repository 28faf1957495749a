// When all that was begun is over: routed, performed, and written into the journal.
import { countJobs } from '#shared/queue/counts.ts'
import type { QueuePlace } from '#shared/queue/queues.ts'
import { flowNames, type QueueName, type Queues } from '#sinks/queues.ts'
import { until } from './until.ts'

/** Waits until nothing waits, is under way or is put off in the queues of these `names` under `place`. */
export async function untilSettled(queues: Queues, place: QueuePlace, names: readonly QueueName[] = flowNames): Promise<void> {
  const left = async () => {
    const counts = await Promise.all(names.map((name) => countJobs(queues[name], place)))
    return counts.reduce((sum, { waiting, active, delayed }) => sum + waiting + active + delayed, 0)
  }
  // A job may end and bring another into a queue that was looked at already.
  await until(async () => (await left()) === 0 && (await left()) === 0, `nothing is left to be done in ${names.join(', ')}`)
}

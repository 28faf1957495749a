// Gives effects to their performers: into the lane first, then into the queue. Both are no-ops for an effect that is
// there already, so a router or performer that died halfway just does it again.
import type { Queue } from 'bullmq'
import type { Effect } from '#shared/effect.ts'
import type { SinkName } from '#shared/queues.ts'
import type { Lanes } from './lanes.ts'
import { retries } from './retries.ts'

export type Dispatch = (effects: Effect[]) => Promise<void>

/** A queue whose effects all run one after another needs no lanes. */
export const serialSinks: ReadonlySet<SinkName> = new Set<SinkName>(['sse'])

export function dispatcher({ queues, lanes }: { queues: Record<SinkName, Queue>; lanes: Lanes }): Dispatch {
  return async function dispatch(effects) {
    for (const { anew, sink, id } of effects) if (anew === true) await removeEnded(queues[sink], id)
    await Promise.all(effects.filter(({ sink }) => !serialSinks.has(sink)).map((effect) => lanes.enter(effect)))
    await Promise.all(effects.map((effect) => queues[effect.sink].add('effect', effect, { jobId: effect.id, ...retries })))
  }
}

// A job that is under way when it is asked for stays.
async function removeEnded(queue: Queue, id: string): Promise<void> {
  const job = await queue.getJob(id)
  if (job?.finishedOn !== undefined) await job.remove()
}

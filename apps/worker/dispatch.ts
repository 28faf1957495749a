// Gives effects to their performers: into the lane first, then into the queue. Both are no-ops for an effect that is
// there already, so a router or performer that died halfway just does it again.
import type { Queue } from 'bullmq'
import { addingJobs } from '#shared/add-jobs.ts'
import type { Effect } from '#shared/effect.ts'
import { keyPrefix, type QueuePlace, type SinkName } from '#shared/queues.ts'
import { script } from '#shared/redis-script.ts'
import type { Lanes } from './lanes.ts'
import { retries } from './retries.ts'

export type Dispatch = (effects: Effect[]) => Promise<void>

/** A queue whose effects all run one after another needs no lanes. */
export const serialSinks: ReadonlySet<SinkName> = new Set<SinkName>(['sse'])

const add = script(`${addingJobs}
local opts, now = ARGV[1], ARGV[2]
for i = 3, #ARGV, 3 do
  addJob(ARGV[i], ARGV[i + 1], 'effect', ARGV[i + 2], opts, now)
  wake(ARGV[i])
end
return 1`)

type Parts = QueuePlace & { queues: Record<SinkName, Queue>; lanes: Lanes }

export function dispatcher({ redis, prefix, queues, lanes }: Parts): Dispatch {
  return async function dispatch(effects) {
    if (effects.length === 0) return
    for (const { anew, sink, id } of effects) if (anew === true) await removeEnded(queues[sink], id)
    await Promise.all(effects.filter(({ sink }) => !serialSinks.has(sink)).map((effect) => lanes.enter(effect)))
    const jobs = effects.flatMap((effect) => [`${keyPrefix(prefix)}:${effect.sink}:`, effect.id, JSON.stringify(effect)])
    // The key tells a Cluster the slot.
    await add(redis, [`${keyPrefix(prefix)}:planned`], [JSON.stringify(retries), Date.now(), ...jobs])
  }
}

// A job that is under way when it is asked for stays.
async function removeEnded(queue: Queue, id: string): Promise<void> {
  const job = await queue.getJob(id)
  if (job?.finishedOn !== undefined) await job.remove()
}

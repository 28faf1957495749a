// Hurries what waits for its next attempt: somebody does something about the merge request again, and perhaps what was wrong is
// mended. Orders of effects begin with the merge request that they are about.
import type { Queue } from 'bullmq'
import type { Effect } from '#shared/event/effect.ts'
import type { MergeRequest } from '#shared/event/event.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'
import { script } from './redis-script.ts'

export type Impatience = {
  /** An attempt at the effect failed: its next one has to wait. */
  waits: (effect: Effect) => Promise<void>
  /** There are new events of the merge requests: what waits for its next attempt there is tried now, but not again within ten seconds. */
  hurry: (mergeRequests: Array<Pick<MergeRequest, 'projectId' | 'iid'>>) => Promise<void>
}

// Longer than any attempt waits for the next one.
const keepSeconds = 900
const seldomSeconds = 10

const takeWaiting = script(`
local waiting = {}
for at = 1, #KEYS, 2 do
  local here = redis.call('SMEMBERS', KEYS[at])
  if #here > 0 and redis.call('SET', KEYS[at + 1], '1', 'NX', 'EX', ${seldomSeconds}) then
    for _, one in ipairs(here) do waiting[#waiting + 1] = one end
  end
end
return waiting`)

/** Over the `queues` of the sinks, by name. */
export function openImpatience({ redis, prefix, queues }: QueuePlace & { queues: Readonly<Record<string, Queue>> }): Impatience {
  const waitingKey = (about: string) => `${keyPrefix(prefix)}:retrying:${about}`
  return {
    async waits({ sink, order, id }) {
      const key = waitingKey(order.split(' ')[0] ?? '')
      await redis.multi().sadd(key, `${sink} ${id}`).expire(key, keepSeconds).exec()
    },
    async hurry(mergeRequests) {
      const about = new Set(mergeRequests.map(({ projectId, iid }) => `${projectId}!${iid}`))
      if (about.size === 0) return
      const keys = [...about].map(waitingKey).flatMap((key) => [key, `${key}:hurried`])
      const waiting = await takeWaiting(redis, keys, [])
      for (const one of Array.isArray(waiting) ? waiting.map(String) : []) {
        const [sink = '', id = ''] = one.split(' ')
        const job = await queues[sink]?.getJob(id)
        // Fails when it does not wait any more.
        await job?.promote().catch(() => undefined)
      }
    },
  }
}

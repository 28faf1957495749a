// Which effects of a sink that cannot look have had their call begun: these are not performed again, since nobody can find out
// what came of it. The mark is written in the step that passes the fence, and taken away only by an answer that says that
// nothing was done. When Redis may have lost it, or it may be too old to be there still, it counts as there.
import type { Job } from 'bullmq'
import type { Effect } from '#shared/event/effect.ts'
import { keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'
import { script } from '#shared/queue/redis-script.ts'
import type { MayForget } from './redis-lives.ts'

const hourMs = 3_600_000
/** For how long a mark is kept. */
export const begunKeepSeconds = 30 * 24 * 3600

/** The key of the mark. */
export function begunKey(prefix: string, { sink, id }: Pick<Effect, 'sink' | 'id'>): string {
  return `${keyPrefix(prefix)}:begun:${sink}:${id}`
}

// Whether there is a mark; and since when (ms) there are any, which begins anew with a Redis that is empty.
const look = script(`
local time = redis.call('TIME')
redis.call('SET', KEYS[2], time[1] * 1000, 'NX')
return {redis.call('EXISTS', KEYS[1]), redis.call('GET', KEYS[2])}`)

const sinceKey = (prefix: string) => `${keyPrefix(prefix)}:begun-since`

/** From now on, at the latest, what is begun is marked. */
export async function markFromNow({ redis, prefix }: QueuePlace): Promise<void> {
  await look(redis, [begunKey(prefix, { sink: '', id: '' }), sinceKey(prefix)], [])
}

type Parts = QueuePlace & { mayForget: MayForget; job: Job; effect: Effect }

/** Why the effect must not be performed; undefined when its call was surely never begun. */
export async function whyBegun({ redis, prefix, mayForget, job, effect }: Parts): Promise<string | undefined> {
  const answer = await look(redis, [begunKey(prefix, effect), sinceKey(prefix)], [])
  const [isThere, since] = Array.isArray(answer) ? answer.map(Number) : []
  if (isThere !== 0) return 'its call was begun before, and nobody can see what came of it: it is not made twice'
  const isForgotten = await mayForget(job.timestamp)
  if (effect.again !== true && !isForgotten) return undefined
  const planned = Date.parse(effect.since)
  const earliest = Math.max(since ?? 0, Date.now() - begunKeepSeconds * 1000 + hourMs)
  const isKnown = planned >= earliest && !(await mayForget(planned))
  return isKnown ? undefined : 'it may have been made before, and nobody can see whether it was: it is not made twice'
}

// A queue that waits because its remote is down, as it stands in Redis for everybody to see. The worker's performers write it.
import type { Queue } from 'bullmq'
import { keyPrefix } from './queues.ts'
import type { Redis } from './redis.ts'
import { script } from './redis-script.ts'

/** How a queue is held; `probes` is how often its remote was tried. `remote` names what is down, where a sink declares it. */
export type Hold = { since: Date; until: Date; probes: number; reason: string; refused: boolean; remote: string | undefined }

/** The key in which the hold of the queue with this name stands. */
export const holdKey = (prefix: string, queue: string) => `${keyPrefix(prefix)}:hold:${queue}`

/** The hold of the queue with this name, as it stands; undefined when it is not held. */
export async function readHold(redis: Redis, prefix: string, queue: string): Promise<Hold | undefined> {
  const { since, until, probes, reason = '', refused, remote } = await redis.hgetall(holdKey(prefix, queue))
  if (since === undefined) return undefined
  return {
    since: new Date(Number(since)),
    until: new Date(Number(until)),
    probes: Number(probes),
    reason,
    refused: refused === 'true',
    remote: remote || undefined,
  }
}

// The hold itself stays until a job has succeeded, and lets through one at a time.
const endWait = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'until', 0, 'ms', 0)
redis.call('DEL', KEYS[2])
return 1`)

/** Has the remote that `queue` is on hold for asked again within two seconds. False when the queue is not on hold. */
export async function askAgain(redis: Redis, prefix: string, queue: Queue): Promise<boolean> {
  return (await endWait(redis, [holdKey(prefix, queue.name), queue.toKey('limiter')], [])) === 1
}

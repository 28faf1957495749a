// A queue that waits because its remote is down, as it stands in Redis for everybody to see. The worker's performers write it.
import { keyPrefix } from './queues.ts'
import type { Redis } from './redis.ts'

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

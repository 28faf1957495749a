// Which delivery was the first to tell of an event. It is known for as long as the ledger is, since what was made for that one
// does not count as made for another.
import type { GitLabEvent } from '#shared/event/event.ts'
import { sameEventKey } from '#shared/event/same-event.ts'
import { ledgerKeepSeconds } from './ledger.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'
import { script } from './redis-script.ts'

/** The id of another delivery that told of `event` before; undefined when none did: then this one has now. */
export type ToldBefore = (event: GitLabEvent) => Promise<string | undefined>

const tell = script(`
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2])
return redis.call('GET', KEYS[1])`)

export function openToldEvents({ redis, prefix }: QueuePlace): ToldBefore {
  return async function toldBefore(event) {
    const key = sameEventKey(event)
    if (key === undefined) return undefined
    const first = await tell(redis, [`${keyPrefix(prefix)}:event:${key}`], [event.delivery, ledgerKeepSeconds])
    return typeof first === 'string' && first !== event.delivery ? first : undefined
  }
}

// Which delivery was the first to tell of an event. It is known for as long as the ledger is, since what was made for that one
// does not count as made for another.
import { z } from 'zod'
import type { GitLabEvent } from '#shared/event/event.ts'
import { sameEventKey } from '#shared/event/same-event.ts'
import { together } from '#shared/process/together.ts'
import { ledgerKeepSeconds } from './ledger.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'
import { script } from './redis-script.ts'

/** The id of another delivery that told of `event` before; undefined when none did: then this one has now. */
export type ToldBefore = (event: GitLabEvent) => Promise<string | undefined>

// Whose each key is from now on.
const tell = script(`
local first = {}
for at, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[at + 1], 'NX', 'EX', ARGV[1])
  first[at] = redis.call('GET', key)
end
return first`)

/** Over `redis`; what is asked about the events of a batch goes together. */
export function openToldEvents({ redis, prefix }: QueuePlace): ToldBefore {
  const firstOf = together(async (asked: Array<{ key: string; delivery: string }>) => {
    const keys = asked.map(({ key }) => `${keyPrefix(prefix)}:event:${key}`)
    const first = await tell(redis, keys, [ledgerKeepSeconds, ...asked.map(({ delivery }) => delivery)])
    return z.array(z.string()).parse(first)
  })
  return async function toldBefore(event) {
    const key = sameEventKey(event)
    if (key === undefined) return undefined
    const first = await firstOf({ key, delivery: event.delivery })
    return first === event.delivery ? undefined : first
  }
}

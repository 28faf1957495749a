// The end of an effect, in one step: what was made goes into the ledger, the journal is told, the effect leaves its lane, and
// the next of the lane is queued. A job that is run again after that, since its worker died, finds that it has ended.
import type { Effect } from '#shared/event/effect.ts'
import { movingInLanes } from './lane-script.ts'
import { laneKeys } from './lanes.ts'
import { ledgerKeepSeconds, ledgerKey } from './ledger.ts'
import type { Lock } from './lock.ts'
import { outboxKey, puttingEntries } from './outbox.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'
import { script } from './redis-script.ts'

/** What a job says of its effect once that has ended, in its field `ended`: this, or why the effect is dead. */
export const endedWell = 'well'

export type End = {
  effect: Effect
  /** Undefined when the queue has given the job up by itself, so that nobody runs it. */
  lock: Lock | undefined
  /** The effects of its sink run one after another: it has no lane. */
  isAlone: boolean
  /** The key that says that its call is at work, and whose call. */
  call: { key: string; own: string } | undefined
  made: string | undefined
  /** The entry for the journal. */
  entry: string
  /** Why it is dead. */
  dead: string | undefined
}

/**
 * Ends an effect. False when its job is not ours any more: then only what was made is written down, and whoever runs it decides
 * about the rest.
 */
export type Finish = (end: End) => Promise<boolean>

const finishScript = script(`${movingInLanes}${puttingEntries}
local outbox, lock, lane, ledger, askers, call = unpack(KEYS)
local id, queue, token, made, own, ended, entry = unpack(ARGV)
local time = redis.call('TIME')
putEntry(outbox, entry, time[1] * 1000 + math.floor(time[2] / 1000))
if made ~= '' then
  redis.call('HSET', ledger, made, id)
  redis.call('EXPIRE', ledger, ${ledgerKeepSeconds})
end
if own ~= '' and redis.call('GET', call) == own then redis.call('DEL', call) end
if token ~= '' then
  if redis.call('GET', lock) ~= token then return 0 end
  if redis.call('EXISTS', queue .. id) == 1 then redis.call('HSET', queue .. id, 'ended', ended) end
end
if lane == outbox then return 1 end
redis.call('ZREM', lane, id)
queueHead(lane, queue)
local waiting = redis.call('HGETALL', askers)
for i = 1, #waiting, 2 do
  local asker, its = waiting[i], waiting[i + 1]
  if redis.call('ZREM', its .. 'delayed', asker) == 1 then
    redis.call('HSET', its .. asker, 'delay', 0)
    queueJob(its, asker)
  end
end
redis.call('DEL', askers)
return 1`)

/** What ends effects, over `redis`. */
export function openFinish({ redis, prefix }: QueuePlace): Finish {
  const keys = laneKeys(prefix)
  return async function finish({ effect, lock, isAlone, call, made, entry, dead }) {
    const outbox = outboxKey(prefix)
    // A key that is not needed must be one all the same, in the same slot of a Cluster.
    const none = keyPrefix(prefix)
    const [lane, ledger, askers] = isAlone ? [outbox, none, none] : [keys.lane(effect), ledgerKey(prefix, effect), keys.askers(effect)]
    const args = [effect.id, keys.queue(effect), lock?.token ?? '', isAlone ? '' : (made ?? ''), call?.own ?? '', dead ?? endedWell, entry]
    return (await finishScript(redis, [outbox, lock?.key ?? none, lane, ledger, askers, call?.key ?? none], args)) === 1
  }
}

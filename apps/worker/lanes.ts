// What keeps effects in order: a lane for each sink and `order` key, a sorted set in Redis with the ids of its effects
// as they were planned. An effect runs only at the head of its lane, on whatever worker; it leaves when it has ended.
// A retried or held effect stays at the head, so nothing of its lane overtakes it; other lanes do not notice.

import type { Effect } from '#shared/effect.ts'
import { keyPrefix } from '#shared/queues.ts'
import type { Redis } from '#shared/redis.ts'

export type Lanes = {
  /** Puts the effect at the end of its lane, unless it is in it. */
  enter: (effect: Effect) => Promise<void>
  /** The id of the effect that must end before this one may run; undefined when it may run now. */
  ahead: (effect: Effect) => Promise<string | undefined>
  /** Takes the effect `id` out of the lane of `effect`; the id of the one that is at the head now. */
  leave: (effect: Effect, id?: string) => Promise<string | undefined>
}

const enterLane = `
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
return redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[2]), ARGV[1])`

const whoIsAhead = `
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
local head = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
if head == ARGV[1] then return false end
return head`

const leaveLane = `
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, 0)[1] or false`

/** The lanes over `redis`. */
export function openLanes({ redis, prefix }: { redis: Redis; prefix: string }): Lanes {
  const lane = ({ sink, order }: Effect) => `${keyPrefix(prefix)}:lane:${sink}:${order}`
  const idOr = (answer: unknown) => (typeof answer === 'string' ? answer : undefined)
  return {
    async enter(effect) {
      await redis.eval(enterLane, 2, lane(effect), `${keyPrefix(prefix)}:planned`, effect.id)
    },
    ahead: async (effect) => idOr(await redis.eval(whoIsAhead, 1, lane(effect), effect.id)),
    leave: async (effect, id = effect.id) => idOr(await redis.eval(leaveLane, 1, lane(effect), id)),
  }
}

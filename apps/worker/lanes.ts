// What keeps effects in order: a lane for each sink and `order` key, a sorted set in Redis with the ids of its effects
// as they were planned. An effect runs only at the head of its lane, on whatever worker; it leaves when it has ended.
// A retried or held effect stays at the head, so nothing of its lane overtakes it; other lanes do not notice.

import type { Effect } from '#shared/effect.ts'
import { keyPrefix } from '#shared/queues.ts'
import type { Redis } from '#shared/redis.ts'
import { script } from '#shared/redis-script.ts'

export type Lanes = {
  /** Puts the effect at the end of its lane, or in front of the one whose id is `before`, unless it is in it. */
  enter: (effect: Effect, before?: string) => Promise<void>
  /** The ids of the effects in the lane of `effect`, in their order. */
  waiting: (effect: Effect) => Promise<string[]>
  /** The id of the effect that must end before this one may run; undefined when it may run now. */
  ahead: (effect: Effect) => Promise<string | undefined>
  /** Takes the effect `id` out of the lane of `effect`; the id of the one that is at the head now. */
  leave: (effect: Effect, id?: string) => Promise<string | undefined>
}

const keepSeconds = 90 * 24 * 3600 // an effect that had ended when it came again leaves nothing behind for ever

const enterLane = script(`
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local place
local rank = ARGV[2] ~= '' and redis.call('ZRANK', KEYS[1], ARGV[2])
if rank then
  local next = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2]))
  local ahead = rank > 0 and redis.call('ZRANGE', KEYS[1], rank - 1, rank - 1, 'WITHSCORES')[2]
  place = string.format('%.17g', ahead and (next + tonumber(ahead)) / 2 or next - 1)
else
  place = redis.call('INCR', KEYS[2])
end
redis.call('ZADD', KEYS[1], place, ARGV[1])
return redis.call('EXPIRE', KEYS[1], ARGV[3])`)

const leaveLane = script(`
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, 0)[1] or false`)

/** The lanes over `redis`. */
export function openLanes({ redis, prefix }: { redis: Redis; prefix: string }): Lanes {
  const lane = ({ sink, order }: Effect) => `${keyPrefix(prefix)}:lane:${sink}:${order}`
  return {
    async enter(effect, before = '') {
      await enterLane(redis, [lane(effect), `${keyPrefix(prefix)}:planned`], [effect.id, before, keepSeconds])
    },
    waiting: (effect) => redis.zrange(lane(effect), '0', '-1'),
    async ahead(effect) {
      const rank = await redis.zrank(lane(effect), effect.id)
      if (rank === null || rank === 0) return undefined
      const [head] = await redis.zrange(lane(effect), '0', '0')
      return head === effect.id ? undefined : head
    },
    async leave(effect, id = effect.id) {
      const head = await leaveLane(redis, [lane(effect)], [id])
      return typeof head === 'string' ? head : undefined
    },
  }
}

// What keeps effects in order: a lane for each sink and `order` key, a sorted set in Redis with the ids of its effects
// as they were planned. An effect runs only at the head of its lane, on whatever worker; it leaves when it has ended.
// A retried or held effect stays at the head, so nothing of its lane overtakes it; other lanes do not notice.

import type { Effect } from '#shared/event/effect.ts'
import { enteringLanes, keepSeconds } from './lane-script.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'
import type { Redis } from './redis.ts'
import { script } from './redis-script.ts'

/** `free`: it may run now. `question` is the id of an earlier effect that it has waited for, a minute long, and waits for no longer. */
export type Turn = { state: 'free'; question?: string } | { state: 'waits' }

export type Lanes = {
  /**
   * Enters an effect again whose job has ended and is about to be put back: in front of the first of `later` that stands in the
   * lane, else at its end.
   */
  enter: (effect: Effect, later?: string[]) => Promise<void>
  /** The ids of the effects in the lane of `effect`, in their order. */
  waiting: (effect: Effect) => Promise<string[]>
  /** Gives the effect its turn if nobody is ahead of it. One that has ended without leaving is taken out of the lane. */
  turn: (effect: Effect) => Promise<Turn>
  /** Takes the effect out of its lane; the id of the one that is at the head now. */
  leave: (effect: Effect) => Promise<string | undefined>
}

const putBackSeconds = 60
/**
 * For how long an effect waits at most, counted from the beginning of its own job: for an earlier effect that may still learn
 * of further tasks, and for one ahead of it that has no job.
 */
export const mostWaitMs = 60_000

const enterLane = script(`${enteringLanes}
redis.call('SET', KEYS[4], '1', 'EX', ${putBackSeconds})
local place
for _, other in ipairs(cjson.decode(ARGV[3])) do place = place or before(KEYS[1], other) end
enter(KEYS[1], KEYS[2], ARGV[1], ARGV[2], place, KEYS[3], ${keepSeconds})
return 1`)

// A dead job at the head is taken out of the lane, unless somebody is about to put it back and has said so.
const takeTurn = script(`
local lane, turn, questions, id, queue, putBack = KEYS[1], KEYS[2], KEYS[3], unpack(ARGV)
local place = redis.call('ZSCORE', lane, id)
if not place then return {'free'} end
local time = redis.call('TIME')
local since = redis.call('HGET', queue .. id, 'timestamp') or 0
local isLate = time[1] * 1000 + time[2] / 1000 - since > ${mostWaitMs}
local earliest = questions and redis.call('ZRANGE', questions, 0, 0, 'WITHSCORES') or {}
local question = earliest[1] and tonumber(earliest[2]) < tonumber(place) and earliest[1]
if question and not isLate then return {'waits'} end
local head = redis.call('ZRANGE', lane, 0, 0)[1]
if head == id then
  redis.call('SET', turn, id, 'EX', ${keepSeconds})
  return {'free', question or nil}
end
local isDead = redis.call('ZSCORE', queue .. 'failed', head) and redis.call('EXISTS', putBack .. head) == 0
local isGone = isLate and redis.call('EXISTS', queue .. head) == 0
if isDead or isGone or redis.call('ZSCORE', queue .. 'completed', head) then redis.call('ZREM', lane, head) end
return {'waits'}`)

const leaveLane = script(`
redis.call('ZREM', KEYS[1], ARGV[1])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return redis.call('ZRANGE', KEYS[1], 0, 0)[1] or false`)

/** The keys in which the order of effects lives. */
export function laneKeys(prefix: string) {
  const all = keyPrefix(prefix)
  return {
    lane: ({ sink, order }: Pick<Effect, 'sink' | 'order'>) => `${all}:lane:${sink}:${order}`,
    /** Names the effect of the lane that had its turn last. */
    turn: ({ sink, order }: Effect) => `${all}:turn:${sink}:${order}`,
    counter: `${all}:planned`,
    queue: ({ sink }: Effect) => `${all}:${sink}:`,
    putBack: `${all}:put-back:`,
  }
}

/** The lanes over `redis`. */
export function openLanes({ redis, prefix }: QueuePlace & { redis: Redis }): Lanes {
  const { lane, turn, counter, queue, putBack } = laneKeys(prefix)
  return {
    async enter(effect, later = []) {
      const keys = [lane(effect), turn(effect), counter, `${putBack}${effect.id}`]
      await enterLane(redis, keys, [effect.id, queue(effect), JSON.stringify(later)])
    },
    waiting: (effect) => redis.zrange(lane(effect), '0', '-1'),
    async turn(effect) {
      const keys = [lane(effect), turn(effect), ...(effect.after ? [lane(effect.after)] : [])]
      const answer = await takeTurn(redis, keys, [effect.id, queue(effect), putBack])
      const [state, question] = Array.isArray(answer) ? answer.map(String) : []
      if (state !== 'free') return { state: 'waits' }
      return { state, ...(question !== undefined && { question }) }
    },
    async leave(effect) {
      const head = await leaveLane(redis, [lane(effect), turn(effect)], [effect.id])
      return typeof head === 'string' ? head : undefined
    },
  }
}

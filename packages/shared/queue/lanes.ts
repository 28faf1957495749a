// What keeps effects in order: a lane for each sink and `order` key, a sorted set in Redis with the ids of its effects
// as they were planned. Only the effect at the head of a lane is queued, and so runs, on whatever worker; when it ends it leaves,
// and the next is queued. A retried or held effect stays at the head, so nothing of its lane overtakes it; other lanes do not notice.

import type { Effect } from '#shared/event/effect.ts'
import { movingInLanes } from './lane-script.ts'
import type { Lock } from './lock.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'
import { script } from './redis-script.ts'

/**
 * `free`: it may run now. `question` is the id of an earlier effect that it has waited for, a minute long, and waits for no longer.
 * `waits`: it was put off. `lost`: its job is not ours any more.
 */
export type Turn = { state: 'free'; question?: string } | { state: 'waits' | 'lost'; question?: undefined }

export type Lanes = {
  /** The ids of the effects in the lane of `effect`, in their order. */
  waiting: (effect: Effect) => Promise<string[]>
  /** Whether the effect, whose job is under way with `lock`, may run: else its job is put off in the same step. */
  turn: (effect: Effect, lock: Lock) => Promise<Turn>
  /**
   * Puts the dead job of `effect` back, with a fresh budget: in front of the first of `later` that stands in the lane, else at its
   * end; `isAlone` without a lane. False when it is not dead any more.
   */
  putBack: (effect: Effect, options?: { later?: string[]; isAlone?: boolean }) => Promise<boolean>
}

/** For how long an effect waits at most for an earlier one that may still learn of further tasks, counted from when its job was made. */
export const mostWaitMs = 60_000

// Whoever is not at the head stands back. Whoever waits for a question is put off until that wait is too long, and called earlier
// by the end of what it waits for.
const takeTurn = script(`${movingInLanes}
local lane, lock, questions, askers, id, queue, token = KEYS[1], KEYS[2], KEYS[3], KEYS[4], unpack(ARGV)
if redis.call('GET', lock) ~= token then return {'lost'} end
local place = redis.call('ZSCORE', lane, id)
local function free(question)
  redis.call('HSET', queue .. id, 'turn', 1)
  return {'free', question}
end
if not place then return free() end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function putOff(where, score)
  redis.call('DEL', lock)
  redis.call('HDEL', queue .. id, 'turn')
  redis.call('SREM', queue .. 'stalled', id)
  redis.call('LREM', queue .. 'active', -1, id)
  redis.call('ZADD', queue .. where, string.format('%.0f', score), id)
end
if headOf(lane, queue) ~= id then
  putOff('waiting-children', now)
  queueHead(lane, queue)
  return {'waits'}
end
local question = questionBefore(questions == lane and '' or questions, tonumber(place))
local latest = tonumber(redis.call('HGET', queue .. id, 'timestamp')) + ${mostWaitMs}
if not question then return free() end
if now > latest then return free(question) end
putOff('delayed', (latest + 1) * 0x1000)
redis.call('HSET', queue .. id, 'delay', latest + 1 - now)
redis.call('ZADD', queue .. 'marker', 'LT', latest + 1, '1')
redis.call('HSET', askers, id, queue)
redis.call('EXPIRE', askers, ${(2 * mostWaitMs) / 1000})
return {'waits'}`)

const putBackScript = script(`${movingInLanes}
local lane, counter, id, queue, data, later = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4])
if redis.call('ZREM', queue .. 'failed', id) == 0 then return 0 end
redis.call('HDEL', queue .. id, 'finishedOn', 'processedOn', 'failedReason', 'atm', 'ats', 'stc', 'ended', 'turn')
redis.call('HSET', queue .. id, 'name', 'effect', 'data', data)
if ARGV[5] == '1' then queueJob(queue, id) return 1 end
local place
for _, other in ipairs(later) do place = place or before(lane, other, queue) end
if enter(lane, id, queue, place, counter) then
  queueJob(queue, id)
else
  local time = redis.call('TIME')
  redis.call('ZADD', queue .. 'waiting-children', time[1] * 1000, id)
end
return 1`)

/** The keys in which the order of effects lives. */
export function laneKeys(prefix: string) {
  const all = keyPrefix(prefix)
  const lane = ({ sink, order }: Pick<Effect, 'sink' | 'order'>) => `${all}:lane:${sink}:${order}`
  return {
    lane,
    /** Those that wait until a lane has come further, with their queues. */
    askers: (effect: Pick<Effect, 'sink' | 'order'>) => `${lane(effect)}:askers`,
    counter: `${all}:planned`,
    queue: ({ sink }: Pick<Effect, 'sink'>) => `${all}:${sink}:`,
  }
}

/** The lanes over `redis`. */
export function openLanes({ redis, prefix }: QueuePlace): Lanes {
  const { lane, askers, counter, queue } = laneKeys(prefix)
  return {
    waiting: (effect) => redis.zrange(lane(effect), '0', '-1'),
    async turn(effect, lock) {
      const { after = effect } = effect
      const answer = await takeTurn(redis, [lane(effect), lock.key, lane(after), askers(after)], [effect.id, queue(effect), lock.token])
      const [state, question] = Array.isArray(answer) ? answer.map(String) : []
      if (state !== 'free') return { state: state === 'waits' ? 'waits' : 'lost' }
      return { state, ...(question !== undefined && { question }) }
    },
    async putBack(effect, { later = [], isAlone = false } = {}) {
      const args = [effect.id, queue(effect), JSON.stringify(effect), JSON.stringify(later), isAlone ? '1' : '0']
      return (await putBackScript(redis, [lane(effect), counter], args)) === 1
    },
  }
}

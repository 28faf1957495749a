// Gives effects to their performers: each into its lane and into its queue, in one step. Whatever has its job already stays
// as it is, so a router or performer that died halfway just does it again.
import type { Effect } from '#shared/event/effect.ts'
import { inLane, movingInLanes } from './lane-script.ts'
import { laneKeys } from './lanes.ts'
import { withoutLetGo } from './let-go.ts'
import type { Lock } from './lock.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'
import { script } from './redis-script.ts'
import { retries } from './retries.ts'

/**
 * Where effects enter their lanes: at the place that `cause` has in its own lane, else in front of the first of `later`, else
 * at the end.
 */
export type Standing = { cause?: Effect; later?: string[] }
/** Answers false, and has done nothing, when `lock` is not ours any more. */
export type Dispatch = (effects: Effect[], options?: Standing & { lock?: Lock }) => Promise<boolean>

/**
 * Lua to begin a script with. `dispatch(row, opts, now, counter, standing, later)` adds the effect of a row, as `effectRow` makes it, to
 * its queue, and to its lane where it has one: at the place `standing`, else in front of the first of `later`, else at the end. The
 * clock is that of Redis: how long a job has waited is asked there, too.
 */
export const dispatching = `${movingInLanes}
local function nowMs()
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
local function forgetEnded(queue, id)
  if not redis.call('HGET', queue .. id, 'finishedOn') then return end
  redis.call('DEL', queue .. id, queue .. id .. ':logs')
  redis.call('ZREM', queue .. 'completed', id)
  redis.call('ZREM', queue .. 'failed', id)
end
local function dispatch(row, opts, now, counter, standing, later)
  local queue, lane, questions, id, anew, data = unpack(row)
  if anew == '1' then forgetEnded(queue, id) end
  if redis.call('EXISTS', queue .. id) == 1 then return end
  if lane == '' then
    serial(queue)
    addJob(queue, id, 'effect', data, opts, now)
    return wake(queue)
  end
  for _, other in ipairs(later) do standing = standing or before(lane, other, queue) end
  local isHead, place = enter(lane, id, queue, standing, counter)
  storeJob(queue, id, questionBefore(questions, place) and 'effect' or '${inLane}', data, opts, now)
  if isHead then queueJob(queue, id) else redis.call('ZADD', queue .. 'waiting-children', now, id) end
end
`
export const rowLength = 6

/** What makes of an effect the row that `dispatch` takes. Effects of the sinks `oneByOne` have no lanes. */
export function effectRows(prefix: string, oneByOne: ReadonlySet<string>): (effect: Effect) => string[] {
  const { lane, queue } = laneKeys(prefix)
  return function effectRow(effect) {
    const lanes = oneByOne.has(effect.sink) ? ['', ''] : [lane(effect), effect.after ? lane(effect.after) : '']
    return [queue(effect), ...lanes, effect.id, effect.anew === true ? '1' : '', JSON.stringify(effect)]
  }
}

const add = script(`${dispatching}
local counter, lock, causeLane = KEYS[1], KEYS[2], KEYS[3]
local opts, token, cause, later = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4])
if token ~= '' and redis.call('GET', lock) ~= token then return 0 end
local now = nowMs()
local standing = cause ~= '' and redis.call('ZSCORE', causeLane, cause) or nil
for i = 5, #ARGV, ${rowLength} do dispatch({unpack(ARGV, i, i + ${rowLength - 1})}, opts, now, counter, standing, later) end
return 1`)

type Parts = QueuePlace & {
  /** The sinks whose effects all run one after another: they need no lanes. */
  oneByOne: ReadonlySet<string>
}

export function dispatcher({ redis, prefix, oneByOne }: Parts): Dispatch {
  const { lane, counter } = laneKeys(prefix)
  const effectRow = effectRows(prefix, oneByOne)

  return async function dispatch(planned, { cause, later = [], lock } = {}) {
    const effects = await withoutLetGo({ redis, prefix }, planned)
    if (effects.length === 0) return true
    // A key that is not needed must be one all the same, in the same slot of a Cluster.
    const keys = [counter, lock?.key ?? keyPrefix(prefix), cause ? lane(cause) : keyPrefix(prefix)]
    const options = [JSON.stringify(retries), lock?.token ?? '', cause?.id ?? '', JSON.stringify(later)]
    return (await add(redis, keys, [...options, ...effects.flatMap(effectRow)])) === 1
  }
}

// Gives effects to their performers: each into its lane and into its queue, in one step. Whatever has its job already stays
// as it is, so a router or performer that died halfway just does it again.
import type { Queue } from 'bullmq'
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
 * Lua to begin a script with. `dispatch(queue, lane, questions, id, data, opts, now, counter, standing, later)` adds the effect `id`
 * to `queue`, and to `lane` where it has one: at the place `standing`, else in front of the first of `later`, else at the end.
 */
export const dispatching = `${movingInLanes}
local function dispatch(queue, lane, questions, id, data, opts, now, counter, standing, later)
  if redis.call('EXISTS', queue .. id) == 1 then return end
  if lane == '' then
    serial(queue)
    addJob(queue, id, 'effect', data, opts, now)
    return wake(queue)
  end
  for _, other in ipairs(later) do standing = standing or before(lane, other) end
  local isHead, place = enter(lane, id, queue, standing, counter)
  storeJob(queue, id, questionBefore(questions, place) and 'effect' or '${inLane}', data, opts, now)
  if isHead then queueJob(queue, id) else redis.call('ZADD', queue .. 'waiting-children', now, id) end
end
`

// The clock is that of Redis: how long a job has waited is asked there, too.
const add = script(`${dispatching}
local counter, lock, causeLane = KEYS[1], KEYS[2], KEYS[3]
local opts, token, cause, later = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4])
if token ~= '' and redis.call('GET', lock) ~= token then return 0 end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local standing = cause ~= '' and redis.call('ZSCORE', causeLane, cause) or nil
for i = 5, #ARGV, 5 do
  local queue, lane, questions, id, data = unpack(ARGV, i, i + 4)
  dispatch(queue, lane, questions, id, data, opts, now, counter, standing, later)
end
return 1`)

type Parts = QueuePlace & {
  /** The queues of the sinks, by name. */
  queues: Readonly<Record<string, Queue>>
  /** The sinks whose effects all run one after another: they need no lanes. */
  oneByOne: ReadonlySet<string>
}

export function dispatcher({ redis, prefix, queues, oneByOne }: Parts): Dispatch {
  const { lane, counter, queue } = laneKeys(prefix)

  return async function dispatch(planned, { cause, later = [], lock } = {}) {
    const effects = await withoutLetGo({ redis, prefix }, planned)
    if (effects.length === 0) return true
    for (const { anew, sink, id } of effects) if (anew === true) await removeEnded(queues[sink], id)
    const jobs = effects.flatMap((effect) => {
      const lanes = oneByOne.has(effect.sink) ? ['', ''] : [lane(effect), effect.after ? lane(effect.after) : '']
      return [queue(effect), ...lanes, effect.id, JSON.stringify(effect)]
    })
    // A key that is not needed must be one all the same, in the same slot of a Cluster.
    const keys = [counter, lock?.key ?? keyPrefix(prefix), cause ? lane(cause) : keyPrefix(prefix)]
    const options = [JSON.stringify(retries), lock?.token ?? '', cause?.id ?? '', JSON.stringify(later)]
    return (await add(redis, keys, [...options, ...jobs])) === 1
  }
}

// A job that is under way when it is asked for stays.
async function removeEnded(queue: Queue | undefined, id: string): Promise<void> {
  const job = await queue?.getJob(id)
  if (job?.finishedOn !== undefined) await job.remove()
}

// A worker takes the head of the lane, looks when it may have been tried before, passes the fence, calls, and ends it.
import type { Step } from './explore.ts'
import type { Keeps } from './service.ts'
import { idle, inRedis, names, put, type State, type Worker } from './state.ts'

/** The steps of worker number `index`. */
export function work(state: State, index: number, keeps: Keeps): Array<Step<State>> {
  const { redis, workers, isAway, comments, calls } = state
  const worker = workers[index] ?? idle
  if (worker.isFrozen) return []
  const { at, job, isFirst, token } = worker
  const now = (changed: Partial<Worker>, of = state): State => ({ ...of, workers: put(of.workers, index, { ...worker, ...changed }) })
  const does = (what: string, to: State) => [{ what: `worker ${index + 1} ${what}`, to }]
  const isOwn = redis.lock[job] === token
  if (at === 'passed') return does(`calls for ${names[job]}`, now({ at: 'called' }, { ...state, calls: [...calls, { job, token }] }))
  if (isAway) return []
  if (at === 'idle') {
    const ready = (keeps('runs only the head of a lane') ? redis.lane.slice(0, 1) : redis.lane).filter((one) => redis.lock[one] === 0)
    return ready.flatMap((one) => {
      const runs = redis.runs[one] + 1
      const token = 2 * runs + index
      const taken = inRedis(state, { runs: put(redis.runs, one, runs), lock: put(redis.lock, one, token) })
      return does(`takes ${names[one]}`, now({ at: 'taken', job: one, isFirst: runs === 1, token }, taken))
    })
  }
  if (at === 'taken') {
    if (isFirst || !keeps('looks before it repeats')) return does('need not look', now({ at: 'clear' }))
    if (redis.atWork[job] !== 0) return []
    const isMade = redis.ledger.includes(job) || comments.includes(job)
    return does(`looks for ${names[job]}`, now({ at: isMade ? 'answered' : 'clear' }))
  }
  if (at === 'clear') {
    if (!isOwn && keeps('asks at the fence whether the job is its own')) return does('is not let through', now(idle))
    const begun = keeps('writes down that a call began') ? { atWork: put(redis.atWork, job, token) } : {}
    return does(`passes the fence for ${names[job]}`, now({ at: 'passed' }, inRedis(state, begun)))
  }
  const over = redis.atWork[job] === token ? put(redis.atWork, job, 0) : redis.atWork
  if (at === 'answered') {
    const ended = { lane: redis.lane.filter((one) => one !== job), lock: put(redis.lock, job, 0), ledger: [...redis.ledger, job] }
    return does(`ends ${names[job]}`, now(idle, inRedis(state, { atWork: over, ...(isOwn ? ended : {}) })))
  }
  if (at === 'failed') return does(`puts ${names[job]} back`, now(idle, inRedis(state, isOwn ? { lock: put(redis.lock, job, 0) } : {})))
  return []
}

// What happens outside of the service: the remote acts, time passes, and what can go wrong does.
import type { Step } from './explore.ts'
import type { Window } from './service.ts'
import { both, type Call, fault, idle, inRedis, names, put, type State, type Worker } from './state.ts'

export function remote(state: State): Array<Step<State>> {
  return state.calls.flatMap((call, index) => {
    const name = names[call.job]
    const without = { ...state, calls: state.calls.toSpliced(index, 1) }
    const made = { ...without, comments: [...state.comments, call.job] }
    return [
      { what: `the remote makes ${name}`, to: { ...made, workers: answerOf(state, call, 'answered') } },
      ...fault(state, `the remote makes ${name}, and its answer is lost`, { ...made, workers: answerOf(state, call, 'failed') }),
      ...fault(state, `the call for ${name} is lost`, { ...without, workers: answerOf(state, call, 'failed') }),
      ...fault(state, `the worker gives up on ${name}`, { ...state, workers: answerOf(state, call, 'failed') }),
    ]
  })
}

function answerOf(state: State, { job, token }: Call, at: 'answered' | 'failed'): State['workers'] {
  const change = (worker: Worker): Worker =>
    worker.at === 'called' && worker.job === job && worker.token === token ? { ...worker, at } : worker
  return [change(state.workers[0]), change(state.workers[1])]
}

// Locks and the marks of calls run out. A call is over by then, unless a window is open.
export function clock(state: State, open: Window | undefined): Array<Step<State>> {
  const { redis, workers, calls, isAway } = state
  if (isAway) return []
  return both.flatMap((job) => {
    const steps: Array<Step<State>> = []
    const isKept = workers.some(
      (worker) => !worker.isFrozen && worker.at !== 'idle' && worker.job === job && worker.token === redis.lock[job],
    )
    const ranOut = `the lock of ${names[job]} runs out`
    const expired = inRedis(state, { lock: put(redis.lock, job, 0) })
    if (redis.lock[job] !== 0) steps.push(...(isKept ? fault(state, ranOut, expired) : [{ what: ranOut, to: expired }]))
    const mayBeSent = open !== 'frozen between fence and call' && workers.some((worker) => worker.at === 'passed' && worker.job === job)
    const mayAct = open !== 'the remote acts late' && calls.some((call) => call.job === job)
    if (redis.atWork[job] !== 0 && !mayBeSent && !mayAct)
      steps.push({ what: `the time for the call for ${names[job]} is over`, to: inRedis(state, { atWork: put(redis.atWork, job, 0) }) })
    return steps
  })
}

export function mishaps(state: State): Array<Step<State>> {
  const { workers, hooks, isAway, before } = state
  const of = (index: number, worker: Worker): State => ({ ...state, workers: put(workers, index, worker) })
  return [
    ...workers.flatMap((worker, index) => [
      ...(worker.at === 'idle' ? [] : fault(state, `worker ${index + 1} dies`, of(index, idle))),
      ...(worker.at === 'idle' || worker.isFrozen
        ? []
        : fault(state, `worker ${index + 1} freezes`, of(index, { ...worker, isFrozen: true }))),
      ...(worker.isFrozen ? [{ what: `worker ${index + 1} goes on`, to: of(index, { ...worker, isFrozen: false }) }] : []),
    ]),
    ...both.flatMap((one) => {
      const known = { stored: 'unanswered', promised: 'answered' } as const
      const hook = hooks[one]
      return hook === 'stored' || hook === 'promised' ? fault(state, 'ingest dies', { ...state, hooks: put(hooks, one, known[hook]) }) : []
    }),
    ...(isAway
      ? [{ what: 'Redis comes back', to: { ...state, isAway: false } }]
      : fault(state, 'Redis goes away', { ...state, isAway: true })),
    ...(before === undefined ? [] : fault(state, 'Redis forgets its last step', { ...state, redis: before, before: undefined })),
  ]
}

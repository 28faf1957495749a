// From GitLab into a lane: ingest stores a delivery, in the queue or in the spool, and answers; the router gives it its lane.
import type { Step } from './explore.ts'
import type { Keeps } from './service.ts'
import { both, type Delivery, inRedis, names, put, type State } from './state.ts'

export function intake(state: State, keeps: Keeps): Array<Step<State>> {
  const { hooks, spool, redis, isAway } = state
  const steps: Array<Step<State>> = []
  const isBusy = hooks.includes('stored') || hooks.includes('promised')
  for (const one of both) {
    const isNext = hooks.indexOf('unsent') === one && !isBusy
    const to = (hook: State['hooks'][number], of = state): State => ({ ...of, hooks: put(of.hooks, one, hook) })
    if (isNext && !keeps('stores before it answers')) steps.push({ what: `${names[one]} is answered 202`, to: to('promised') })
    else if (isNext || hooks[one] === 'promised') steps.push(store(to(isNext ? 'stored' : 'answered'), one, keeps))
    if (hooks[one] === 'stored') steps.push({ what: `${names[one]} is answered 202`, to: to('answered') })
  }
  const [first] = spool
  if (first !== undefined && !isAway) {
    steps.push({ what: `ingest hands ${names[first]} over`, to: addTo(state, first) })
    if (redis.added.includes(first))
      steps.push({ what: `ingest removes ${names[first]} from the spool`, to: { ...state, spool: spool.slice(1) } })
  }
  const [head] = redis.waiting
  if (head !== undefined && !isAway)
    steps.push({ what: `${names[head]} is routed`, to: inRedis(state, { waiting: redis.waiting.slice(1), lane: [...redis.lane, head] }) })
  return steps
}

function store(state: State, delivery: Delivery, keeps: Keeps): Step<State> {
  const isSpooled = state.isAway || (state.spool.length > 0 && keeps('spools behind what is spooled'))
  if (isSpooled) return { what: `${names[delivery]} is spooled`, to: { ...state, spool: [...state.spool, delivery] } }
  return { what: `${names[delivery]} is queued`, to: addTo(state, delivery) }
}

function addTo(state: State, delivery: Delivery): State {
  const { waiting, added } = state.redis
  if (added.includes(delivery)) return state
  return inRedis(state, { waiting: [...waiting, delivery], added: [...added, delivery] })
}

// A state of the model: two deliveries of one lane on their way through spool, queue, lane and fence to a remote.
import type { Step } from './explore.ts'

export type Delivery = 0 | 1
export type PerDelivery<T> = [T, T]
export type Worker = {
  at: 'idle' | 'taken' | 'clear' | 'passed' | 'called' | 'answered' | 'failed'
  job: Delivery
  isFirst: boolean
  token: number
  isFrozen: boolean
}
export type Call = { job: Delivery; token: number }
/** `lock`: the token of the run whose lock holds; `atWork`: of the one whose call may be at work. */
export type Redis = {
  waiting: Delivery[]
  added: Delivery[]
  lane: Delivery[]
  runs: PerDelivery<number>
  lock: PerDelivery<number>
  atWork: PerDelivery<number>
  ledger: Delivery[]
}
export type State = {
  hooks: PerDelivery<'unsent' | 'stored' | 'promised' | 'answered' | 'unanswered'>
  spool: Delivery[]
  redis: Redis
  /** Redis before its last step, where it may forget that. */
  before?: Redis | undefined
  isAway: boolean
  workers: [Worker, Worker]
  calls: Call[]
  comments: Delivery[]
  faultsLeft: number
}

export const idle: Worker = { at: 'idle', job: 0, isFirst: true, token: 0, isFrozen: false }
const emptyRedis: Redis = { waiting: [], added: [], lane: [], runs: [0, 0], lock: [0, 0], atWork: [0, 0], ledger: [] }
export const both: Delivery[] = [0, 1]
export const names = ['a', 'b'] as const

/** Nothing has been sent yet; at most `faultsLeft` things go wrong from now on. */
export function firstState({ faultsLeft, forgets }: { faultsLeft: number; forgets: boolean }): State {
  return {
    hooks: ['unsent', 'unsent'],
    spool: [],
    redis: emptyRedis,
    before: forgets ? emptyRedis : undefined,
    isAway: false,
    workers: [idle, idle],
    calls: [],
    comments: [],
    faultsLeft,
  }
}

/** The state after one step of Redis. */
export function inRedis(state: State, change: Partial<Redis>): State {
  return { ...state, redis: { ...state.redis, ...change }, before: state.before && state.redis }
}

/** A step that takes one of the faults that are left, if there is one. */
export function fault(state: State, what: string, to: State): Array<Step<State>> {
  return state.faultsLeft === 0 ? [] : [{ what, to: { ...to, faultsLeft: state.faultsLeft - 1 } }]
}

export function put<T>(pair: [T, T], index: number, value: T): [T, T] {
  return index === 0 ? [value, pair[1]] : [pair[0], value]
}

// The way of two deliveries of one lane, with all that can go wrong on it. A fault costs one of those that are left; what only
// takes its time costs nothing.
import type { Model } from './explore.ts'
import { intake } from './intake.ts'
import { clock, mishaps, remote } from './outside.ts'
import { work } from './performer.ts'
import { both, firstState, type State } from './state.ts'

/** What the service keeps to. Without any of these a fault must be found, or it is not needed. */
export const rules = [
  'stores before it answers',
  'spools behind what is spooled',
  'runs only the head of a lane',
  'asks at the fence whether the job is its own',
  'writes down that a call began',
  'looks before it repeats',
] as const
export type Rule = (typeof rules)[number]

/** What the service cannot rule out. */
export const windows = ['the remote acts late', 'frozen between fence and call', 'Redis forgets its last step'] as const
export type Window = (typeof windows)[number]

export type Keeps = (rule: Rule) => boolean

/** The model with at most `faults` of them, with all rules but `broken`, and with the window `open`. */
export function serviceModel({ faults, broken, open }: { faults: number; broken?: Rule; open?: Window }): Model<State> {
  const keeps: Keeps = (rule) => rule !== broken
  return {
    first: firstState({ faultsLeft: faults, forgets: open === 'Redis forgets its last step' }),
    stepsFrom: (state) => [
      ...intake(state, keeps),
      ...work(state, 0, keeps),
      ...work(state, 1, keeps),
      ...remote(state),
      ...clock(state, open),
      ...mishaps(state),
    ],
    faultOf({ comments, calls }) {
      if (new Set(comments).size < comments.length) return 'twice'
      if (comments[0] === 1 && comments[1] === 0) return 'out of order'
      return new Set(calls.map(({ job }) => job)).size > 1 ? 'two of a lane at once' : undefined
    },
    isEnd({ hooks, comments }) {
      return both.every((one) => hooks[one] === 'unanswered' || (hooks[one] === 'answered' && comments.includes(one)))
    },
  }
}

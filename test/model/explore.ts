// Looks at every state that a model can come into. A model is a first state and the steps that lead on from a state.

/** One step from a state: what happens, in words, and the state it leads to. */
export type Step<State> = { what: string; to: State }

export type Model<State> = {
  first: State
  stepsFrom: (state: State) => Array<Step<State>>
  /** What is wrong with the state, whatever comes after it. */
  faultOf: (state: State) => string | undefined
  /** Whether everything has come to its end. From every state such a one must be within reach. */
  isEnd: (state: State) => boolean
}

/** How many states there are; and the shortest way to the first fault that was found, a step a line, with the fault as the last. */
export type Finding = { states: number; trace?: string[] }

type Visit<State> = { state: State; from: string | undefined; what: string; before: string[] }

/** Breadth first, so that a trace is as short as can be. */
export function explore<State>({ first, stepsFrom, faultOf, isEnd }: Model<State>): Finding {
  const visits = new Map<string, Visit<State>>()
  const visit = (state: State, from: string | undefined, what: string) => {
    const key = JSON.stringify(state)
    const known = visits.get(key)
    if (known === undefined) visits.set(key, { state, from, what, before: from === undefined ? [] : [from] })
    else if (from !== undefined) known.before.push(from)
  }
  visit(first, undefined, '')
  // A map goes on to what is added to it meanwhile.
  for (const [key, { state }] of visits) {
    const fault = faultOf(state)
    if (fault !== undefined) return { states: visits.size, trace: [...wayTo(visits, key), fault] }
    for (const { what, to } of stepsFrom(state)) visit(to, key, what)
  }
  const stuck = firstWithoutEnd(visits, isEnd)
  return stuck === undefined
    ? { states: visits.size }
    : { states: visits.size, trace: [...wayTo(visits, stuck), 'from here it never comes to an end'] }
}

function wayTo<State>(visits: Map<string, Visit<State>>, key: string): string[] {
  const way: string[] = []
  for (let visit = visits.get(key); visit?.from !== undefined; visit = visits.get(visit.from)) way.unshift(visit.what)
  return way
}

// Goes back from all ends: whoever is not met on the way never comes to one.
function firstWithoutEnd<State>(visits: Map<string, Visit<State>>, isEnd: (state: State) => boolean): string | undefined {
  const met = new Set<string>()
  const left = [...visits].filter(([, { state }]) => isEnd(state)).map(([key]) => key)
  for (let key = left.pop(); key !== undefined; key = left.pop()) {
    if (met.has(key)) continue
    met.add(key)
    for (const before of visits.get(key)?.before ?? []) left.push(before)
  }
  return [...visits.keys()].find((key) => !met.has(key))
}

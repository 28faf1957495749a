// One sentence about deliveries, first of all: what was made, what waits, what failed, and why nothing.
import { shortList } from '#shared/event/effect.ts'
import { declarations } from '#sinks/registry.ts'
import type { Story } from './story.ts'

type Effect = Story['effects'][number]

/** What came of `stories`, newest first, for each sink that makes something: `2 comments made (T1, T2); no note: …`. */
export function summaryOf(stories: Story[]): string {
  const isDecided = stories.some(({ decisions }) => decisions.length > 0)
  const lost = stories.flatMap(({ effects }) => effects).find(({ sink, outcome }) => !isSink(sink) && outcome.state === 'dead')
  if (!isDecided) return lost ? `it could not be routed: ${lost.outcome.reason}` : 'nothing has been decided yet'
  const parts = declarations.flatMap(({ name, makes }) => (makes === undefined ? [] : [partOf(stories, name, makes)]))
  return parts.filter((part) => part !== undefined).join('; ')
}

const endings: Array<[verb: string, states: string[], isWithReason: boolean]> = [
  ['made', ['done'], false],
  ['waiting', ['planned', 'held', 'paused'], true],
  ['failed', ['dead'], true],
  ['given up by an operator', ['discarded'], true],
]

const isSink = (sink: string) => declarations.some(({ name }) => name === sink)

// Undefined of a sink that was not there.
function partOf(stories: Story[], name: string, makes: string): string | undefined {
  const decisions = stories.flatMap((story) => story.decisions.filter(({ sink }) => sink === name))
  const effects = stories.flatMap((story) => story.effects.filter(({ sink }) => sink === name))
  const told = endings.flatMap(([verb, states, isWithReason]) => {
    const these = effects.filter(({ outcome }) => states.includes(outcome.state))
    return these.length === 0 ? [] : [`${many(these, makes)} ${verb}${tasksOf(these)}${isWithReason ? why(these) : ''}`]
  })
  if (told.length > 0) return told.join('; ')
  const reason = [...effects.map(({ outcome }) => outcome.reason), ...decisions.map((decision) => decision.reason)].find(Boolean)
  return decisions.length + effects.length === 0 ? undefined : `no ${makes}${reason ? `: ${reason}` : ''}`
}

function many(effects: Effect[], what: string): string {
  return `${effects.length} ${what}${effects.length === 1 ? '' : 's'}`
}

function tasksOf(effects: Effect[]): string {
  const tasks = [...new Set(effects.flatMap(({ task }) => task ?? []))]
  return tasks.length === 0 ? '' : ` (${shortList(tasks)})`
}

function why(effects: Effect[]): string {
  const reason = effects.find(({ outcome }) => outcome.reason)?.outcome.reason
  return reason ? `: ${reason}` : ''
}

// What the answers of the commands look like in words.
import type { DeadLetter, Group } from './actions/dead.ts'
import type { DeliveryRow } from './actions/deliveries.ts'
import type { Story } from './actions/explain.ts'
import type { QueueState, Status } from './actions/status.ts'
import type { Said } from './command.ts'
import { dim, span, state, table } from './print.ts'

const since = (at: string) => `${span((Date.now() - Date.parse(at)) / 1000)} ago`

export function sayStatus(data: Status): Said {
  const rows = data.queues.map((queue) => ({
    queue: queue.id,
    waiting: queue.waiting,
    active: queue.active,
    delayed: queue.delayed,
    dead: queue.dead,
    lag: span(queue.lag),
    state: stateOf(queue),
  }))
  const { lastDelivery: last } = data
  const words = [
    table(rows, ''),
    '',
    `dead letters   ${data.dead}`,
    `last delivery  ${last ? `${since(last.at)}, ${last.kind}, ${last.id}` : 'none'}`,
  ]
  return { data, words: words.join('\n') }
}

function stateOf({ paused, held }: QueueState): string {
  if (held) return `${state(held.refused ? 'refused' : 'held')} for ${span((Date.now() - Date.parse(held.since)) / 1000)}: ${held.reason}`
  return paused ? 'paused' : 'going'
}

export function sayDeliveries(data: DeliveryRow[]): Said {
  const rows = data.map(({ id, receivedAt, kind, action, project, mr, user, done, nothing, dead, planned }) => ({
    received: receivedAt,
    id,
    kind,
    action,
    project: mr === null ? project : `${project}!${mr}`,
    user,
    done,
    nothing,
    dead,
    waiting: planned,
  }))
  return { data, words: table(rows, 'No delivery matches.') }
}

export function sayStory(id: string, data: Story | undefined): Said {
  if (!data) return { data: null, words: `${id}: no such delivery in the journal.`, failed: true }
  const about = [data.kind, data.action, data.mr ?? data.project, data.user && `by ${data.user}`].filter(Boolean).join(' ')
  const lines = [`${data.id}`, `  received ${data.receivedAt} (${since(data.receivedAt)})`, `  ${about}`]
  if (data.title) lines.push(`  ${data.title}`)
  lines.push('', 'What each sink decided')
  for (const { sink, reason } of data.decisions) lines.push(`  ${sink}: ${reason === null ? 'acts' : `nothing, ${reason}`}`)
  if (data.effects.length > 0) lines.push('', 'What came of it')
  for (const { sink, task, attempts, outcome } of data.effects) {
    const details = [outcome.reason, outcome.link, outcome.at && dim(since(outcome.at))].filter(Boolean).join('  ')
    lines.push(`  ${sink}${task ? ` ${task}` : ''}: ${state(outcome.state)}  ${details}`)
    for (const attempt of attempts) lines.push(dim(`    ${attempt.at}  failed after ${attempt.ms} ms: ${attempt.error}`))
  }
  return { data, words: lines.join('\n') }
}

export function sayDead(data: DeadLetter[]): Said {
  const rows = data.map(({ id, sink, task, mr, attempts, at, error, reason }) => ({
    since: at && since(at),
    id,
    about: task ?? mr,
    sink,
    attempts,
    error,
    reason: reason?.slice(0, 100),
  }))
  return { data, words: table(rows, 'No dead letter matches.') }
}

export function sayGroups(data: Group[]): Said {
  const rows = data.map(({ id, count, sinks, first, last, error }) => ({
    id,
    count,
    sinks: sinks.join(','),
    first: since(first),
    last: since(last),
    error: error.slice(0, 100),
  }))
  return { data, words: table(rows, 'No dead letters.') }
}

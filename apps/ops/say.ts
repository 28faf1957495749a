// What the answers of the commands look like in words.
import { summaryOf } from '#sinks/story/summary.ts'
import type { AuditEntry } from './actions/audit.ts'
import type { DeadLetter, Group } from './actions/dead.ts'
import type { DeliveryRow } from './actions/deliveries.ts'
import type { Explained } from './actions/explain.ts'
import type { Progress } from './actions/replay/list.ts'
import type { Said } from './command.ts'
import { dim, since, state, table } from './print.ts'
import { joined, lines, type Piece, words } from './words.ts'

export function sayDeliveries(data: DeliveryRow[]): Said {
  const rows = data.map(({ id, receivedAt, kind, action, project, mr, user, done, nothing, dead, planned }) => ({
    received: receivedAt,
    id,
    kind,
    action,
    project: mr ?? project,
    user,
    done,
    nothing,
    dead,
    waiting: planned,
  }))
  return { data, words: table(rows, 'No delivery matches.') }
}

export function sayStory(data: Explained): Said {
  return { data, words: lines([words`${data.id}: ${data.sentence}.`, ...story(data)]) }
}

/** Of each delivery of a merge request, latest first. */
export function sayStories(mr: string, data: Explained[]): Said {
  const count = `${data.length} ${data.length === 1 ? 'delivery' : 'deliveries'}`
  const first = words`${mr}: ${summaryOf(data)}. (Of ${count}, the last ${since(data[0]?.receivedAt ?? '')}.)`
  return { data, words: lines([first, ...data.flatMap((one) => ['', words`${one.id}`, ...story(one)])]) }
}

function story({ receivedAt, kind, action, mr, project, user, title, privacy, decisions, effects }: Explained): Piece[] {
  const about = joined([kind, action, mr ?? project, user && `by ${user}`], ' ')
  const told: Piece[] = [words`  received ${receivedAt} (${since(receivedAt)})`, words`  ${about}`]
  if (title) told.push(words`  ${title}`)
  if (privacy) told.push(words`  ${privacy}`)
  told.push('', 'What each sink decided')
  for (const { sink, reason } of decisions) told.push(words`  ${sink}: ${reason === null ? 'acts' : `nothing, ${reason}`}`)
  if (effects.length > 0) told.push('', 'What came of it')
  for (const { sink, task, attempts, outcome } of effects) {
    const details = joined([outcome.reason, outcome.link, outcome.at && dim(since(outcome.at))], '  ')
    told.push(words`  ${joined([sink, task], ' ')}: ${state(outcome.state)}  ${details}`)
    for (const { at, ms, error } of attempts) told.push(dim(words`    ${at}  failed after ${ms} ms: ${error}`))
  }
  return told
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

export function sayReplay(data: Progress, continued: boolean): Said {
  const { id, chosen, replayed, failedAgain, left, lost, state, stopped } = data
  if (chosen === 0) return { data: { ...data, continued }, words: words`No dead letter matches.` }
  const more = [
    failedAgain > 0 && `${failedAgain} failed again`,
    left > 0 && `${left} were not dead letters any more`,
    lost > 0 && `${lost} cannot be made (replay --dry-run says why)`,
    stopped !== undefined && `stopped: ${stopped}`,
    state === 'interrupted' && 'interrupted: the same command goes on',
  ]
  const summary = joined([`replay ${id}: ${replayed} of ${chosen} put back`, ...more], '; ')
  return { data: { ...data, continued }, words: summary, failed: state !== 'done' || failedAgain > 0 || lost > 0 }
}

export function sayAudit(data: AuditEntry[]): Said {
  const rows = data.map(({ id, at, who, verb, what, reason }) => ({ id, at, who, verb, count: what, reason }))
  return { data, words: table(rows, 'The audit log has no such entries.') }
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

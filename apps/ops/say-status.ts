// The one screen of `status`.
import type { Presence } from '#shared/queue/presence.ts'
import { takenOver } from './actions/processes.ts'
import type { QueueState, RemoteState } from './actions/queue-states.ts'
import type { Status } from './actions/status.ts'
import type { Verdict } from './actions/verdict.ts'
import type { Said } from './command.ts'
import { asksAgain, since, span, state, table } from './print.ts'
import { joined, lines, type Piece, padded, type Words, words } from './words.ts'

const unknown = 'unknown'

/** Exit 1 when a part is away: then not all could be told. */
export function sayStatus(data: Status): Said {
  const {
    redis,
    database,
    queues,
    remotes,
    processes,
    spool,
    feed,
    token,
    dead,
    lastDelivery: last,
    silence,
    losses: lost,
    nextRestart: restart,
  } = data
  const first: Array<[name: string, value: Piece]> = [
    ['redis', partOf(redis)],
    ['database', partOf(database)],
    ['dead letters', dead === null ? unknown : `${dead}${database.readable ? '' : ', by what is in the queues'}`],
    ['last delivery', last ? `${since(last.at)}, ${last.kind}, ${last.id}` : database.readable ? 'none' : unknown],
    ['silence', silence ? `${span(silence.seconds)}, usually at most ${span(silence.usualSeconds)}` : unknown],
    ['spool', spool ? spoolOf(spool) : 'unknown: ask ingest itself, /readyz at its PORT'],
    ['subscribers', feed ? String(feed.subscribers) : unknown],
    ['next restart', restart.may ? 'may be taken' : `wait: ${restart.why}`],
    ['GitLab token', token ? tokenOf(token) : redis.readable ? 'not checked yet' : unknown],
  ]
  const parts = [
    lost.length > 0 && lines(lost.map(({ message, remedy }) => words`${state('lost')}: ${message}: ${remedy}`)),
    lines(first.map(([name, value]) => words`${padded(name, 15)}${value}`)),
    queues.length > 0 && table(queues.map(queueRow), ''),
    remotes.length > 0 && table(remotes.map(remoteRow), ''),
    redis.readable &&
      table(
        processes.map((one) => processRow(one, processes)),
        'No process of the service has been seen within the last minute.',
      ),
  ]
  return { data, words: joined(parts, '\n\n'), failed: redis.state === 'down' || database.state === 'down' }
}

const exitCodes = { ok: 0, degraded: 1, broken: 2 }

/** One line for monitoring, and an exit code for each verdict. */
export function sayVerdict(data: Verdict): Said {
  return { data, words: words`${data.state}: ${joined(data.why, '; ')}`, exitCode: exitCodes[data.state] }
}

function partOf({ state: word, reason }: Status['redis']): Words {
  return reason === null ? state(word) : words`${state(word)}: ${reason}`
}

function spoolOf({ deliveries, bytes, since: at, unreadable, unknown: silent }: NonNullable<Status['spool']>): string {
  const aside = [
    unreadable && `, unreadable files: ${unreadable.files}`,
    silent && `, and what ${silent} ingest have that did not answer`,
  ].join('')
  if (deliveries === 0 && bytes === 0) return `empty${aside}`
  return `${deliveries} deliveries, ${bytes} bytes${at === null ? '' : `, since ${since(at)}`}${aside}`
}

function tokenOf({ active, expiresAt, daysLeft, checkedAt }: NonNullable<Status['token']>): string {
  const until = expiresAt === null ? 'no expiry date' : `expires ${expiresAt}, in ${daysLeft} days`
  return `${active ? until : 'expired or revoked'} (checked ${since(checkedAt)})${active ? '' : ': bin/ops token says where a new one goes'}`
}

function queueRow(queue: QueueState) {
  const { id, waiting, active, delayed, dead, lag } = queue
  return { queue: id, waiting, active, delayed, dead, lag: span(lag), state: stateOf(queue) }
}

function stateOf({ paused, pausedBy, held }: QueueState): Words {
  if (!paused && !held) return state('running')
  const who = pausedBy ? words` by ${pausedBy.who}: ${pausedBy.reason}` : ''
  const onHold =
    held && words`${state('on hold')}: ${held.reason} (for ${span((Date.now() - Date.parse(held.since)) / 1000)}, ${asksAgain(held.until)})`
  return joined([paused && words`${state('paused')}${who}`, onHold], '; ')
}

function remoteRow({ id, state: word, since: at, reason, lastUse }: RemoteState) {
  const asked = lastUse === null ? words`, not asked since the workers started` : words` ${since(lastUse)}, not asked since`
  return {
    remote: id,
    state: word === 'up' ? words`${state(word)}${asked}` : state(word),
    since: at === null ? '' : since(at),
    why: reason ?? '',
  }
}

function processRow(one: Presence, all: Presence[]) {
  const { app, host, pid, version, since: at, seen, silent, spool, feed } = one
  const more = [
    silent && `silent: ${takenOver(one, all)}`,
    spool && spool.deliveries > 0 && `${spool.deliveries} in its spool`,
    feed && `${feed.subscribers} subscribers`,
  ]
  return { process: app, host, pid, version, started: since(at), seen: since(seen), more: more.filter((part) => part).join(', ') }
}

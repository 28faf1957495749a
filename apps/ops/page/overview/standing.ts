// How the parts of the service stand: the queues, the remotes they call, the processes that were seen.
import { html } from 'hono/html'
import type { Presence } from '#shared/queue/presence.ts'
import { sinkNames } from '#sinks/registry.ts'
import { takenOver, whatToDo } from '../../actions/processes.ts'
import type { QueueState } from '../../actions/queue-states.ts'
import type { Status } from '../../actions/status.ts'
import { asksAgain, span } from '../../print.ts'
import type { Html } from '../html/frame.ts'
import { table } from '../html/table.ts'
import { ago, count, foreign, many, state } from '../html/words.ts'

const unknown = 'Not known while Redis cannot be read.'

export function queues({ queues: all }: Status): Html {
  const rows = all.map((queue) => [
    sinkNames.some((name) => name === queue.id) ? html`<a href="/sinks/${queue.id}">${queue.id}</a>` : queue.id,
    standing(queue),
    count(queue.waiting),
    count(queue.active),
    count(queue.delayed),
    count(queue.dead),
    span(queue.lag),
  ])
  return html`<h2>Queues</h2>${table('Queues', ['Queue', '~State', '#Waiting', '#Active', '#Delayed', '#Dead', '#Lag'], rows, unknown)}`
}

function standing({ paused, pausedBy, held }: QueueState): Html {
  if (!paused && !held) return state('running')
  const who = pausedBy ? html` by ${foreign(pausedBy.who)}: ${foreign(pausedBy.reason)}` : ''
  const seconds = held ? (Date.now() - Date.parse(held.since)) / 1000 : 0
  const onHold = held ? html`${state('on hold')}: ${foreign(held.reason)} (for ${span(seconds)}, ${asksAgain(held.until)})` : ''
  return html`${paused ? html`${state('paused')}${who}` : ''}${paused && held ? '; ' : ''}${onHold}`
}

export function remotes({ remotes: all }: Status): Html {
  const rows = all.map(({ id, state: word, since, reason, lastUse }) => {
    if (word !== 'up') return [id, state(word), ago(since), foreign(reason)]
    return [id, state(word), ago(lastUse), lastUse === null ? 'not asked since the workers started' : 'not asked since']
  })
  return html`<h2>Remotes</h2>${table('Remotes', ['Remote', 'State', 'Since', '~Why'], rows, unknown)}`
}

export function processes({ processes: all, redis, nextRestart }: Status): Html {
  const rows = all.map((one) => row(one, all))
  const none = redis.readable ? 'None has been seen within the last minute.' : unknown
  return html`<h2>Processes</h2>${table('Processes', ['Process', 'Host', 'Version', 'Started', 'Seen', '~State', '~Does'], rows, none)}
<p>${nextRestart.may ? 'The next process may be restarted.' : `Restart none of them now: ${nextRestart.why}.`}</p>`
}

function row(one: Presence, all: Presence[]) {
  const { app, host, pid, version, since, seen, silent, sinks, feed, spool } = one
  return [
    `${app} ${pid}`,
    host,
    version,
    ago(since),
    ago(seen),
    silent ? html`${state('silent')}: ${takenOver(one, all)}. ${whatToDo}` : state('up'),
    sinks?.join(', ') ?? `${many(feed?.subscribers ?? 0, 'subscriber', 'subscribers')}, ${count(spool?.deliveries ?? 0)} in the spool`,
  ]
}

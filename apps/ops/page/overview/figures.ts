// The few numbers that say at a glance whether all is well.
import { html } from 'hono/html'
import type { Status } from '../../actions/status.ts'
import { span } from '../../print.ts'
import type { Html } from '../html/frame.ts'
import { ago, count, many, storyOf } from '../html/words.ts'

type Figure = { before?: string; value: Html | string; name?: Html | string; isBad?: boolean }

const soon = 30

export function figures(now: Status): Html {
  const shown = [dead(now), lastDelivery(now), spool(now), subscribers(now), token(now)]
  return html`<ul class="figures">${shown.map(
    ({ before = '', value, name = '', isBad }) => html`<li class="${isBad ? 'bad' : ''}">${before} <b>${value}</b> ${name}</li>\n`,
  )}</ul>`
}

function dead({ dead: number }: Status): Figure {
  return { value: number === null ? '?' : count(number), name: html`<a href="/dead">dead letters</a>`, isBad: (number ?? 0) > 0 }
}

function lastDelivery({ lastDelivery: last, silence, database }: Status): Figure {
  if (!last) return { value: database.readable ? 'none' : '?', name: 'last delivery' }
  const usual = silence ? html`; up to ${span(silence.usualSeconds)} is usual now` : ''
  const isBad = silence !== null && silence.seconds > silence.usualSeconds
  return { value: ago(last.at), name: html`<a href="${storyOf(last.id)}">last delivery</a>${usual}`, isBad }
}

function spool({ spool: kept }: Status): Figure {
  if (!kept) return { value: '?', name: 'in the spool' }
  return {
    value: count(kept.deliveries),
    name: html`in the spool${kept.since ? html`, since ${ago(kept.since)}` : ''}`,
    isBad: kept.deliveries > 0,
  }
}

function subscribers({ feed }: Status): Figure {
  return { value: feed ? count(feed.subscribers) : '?', name: 'feed subscribers' }
}

function token({ token: known, redis }: Status): Figure {
  const before = 'GitLab token:'
  if (!redis.readable) return { before, value: '?' }
  if (!known) return { before, value: 'not checked yet' }
  if (!known.active) return { before, value: 'expired or revoked', name: html`(checked ${ago(known.checkedAt)})`, isBad: true }
  if (known.daysLeft === null) return { before, value: 'no expiry date' }
  return {
    before,
    value: `${many(known.daysLeft, 'day', 'days')} left`,
    name: `(expires ${known.expiresAt})`,
    isBad: known.daysLeft < soon,
  }
}

// Small pieces that many pages show: times, states, names of things, links.
import { html } from 'hono/html'
import { harmless } from '#shared/process/harmless.ts'
import { calledState, span } from '../../print.ts'
import type { Html } from './frame.ts'

/** A moment, as how long ago it was; the exact time is its title. */
export function ago(at: string | null | undefined): Html | string {
  if (!at) return '–'
  return html`<time datetime="${at}" title="${utc(at)}">${span((Date.now() - Date.parse(at)) / 1000)} ago</time>`
}

/** A moment, exactly. */
export function moment(at: string): Html {
  return html`<time datetime="${at}">${utc(at)}</time>`
}

function utc(at: string): string {
  return `${at.slice(0, 19).replace('T', ' ')} UTC`
}

const looks: Record<string, string> = {
  done: 'good',
  ok: 'good',
  running: 'good',
  up: 'good',
  dead: 'bad',
  wrong: 'bad',
  warning: 'warn',
  'on hold': 'bad',
  refused: 'bad',
  down: 'bad',
  away: 'bad',
  stopped: 'warn',
  interrupted: 'warn',
  paused: 'warn',
  silent: 'bad',
}

/** The word for a state, in its colour. */
export function state(stored: string): Html {
  const word = calledState(stored)
  return html`<span class="state ${looks[word] ?? ''}">${word}</span>`
}

/** Text that came from outside: it stays text, without what cannot be seen or turns the direction of writing. */
export function foreign(text: string | null | undefined): Html | string {
  return text === null || text === undefined || text === '' ? '–' : html`<bdi>${harmless(text)}</bdi>`
}

/** A link to another system, which opens only what is a web address. */
export function outward(address: string | null, text: string): Html | string {
  if (address === null) return ''
  if (!/^https?:\/\//.test(address)) return foreign(text)
  return html`<a href="${address}" rel="noreferrer">${foreign(text)}</a>`
}

/** The address of the page with a delivery's story. */
export function storyOf(delivery: string): string {
  return `/deliveries/${encodeURIComponent(delivery)}`
}

export function many(number: number, one: string, more: string): string {
  return `${count(number)} ${number === 1 ? one : more}`
}

export function count(number: number): string {
  return number.toLocaleString('en')
}

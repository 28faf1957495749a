// The list of events on the page. In the browser the template is filled in for what comes.
import { html } from 'hono/html'
import type { Told } from './assets/told.js'
import type { Recent } from './recent.ts'

type Event = Recent['events'][number]

/** The list, newest first, and what is still to be filled in. */
export function eventList({ cursor, events }: Recent) {
  return html`<ul id="events" data-cursor="${cursor ?? ''}" aria-label="Events, newest first">${events.map(item)}</ul>
    <template id="event">${item(blank)}</template>`
}

const nothing: Told = { dt: '', kind: '', who: '', words: '', what: '', address: '', story: '', where: '', home: '' }
const blank: Event = { ...nothing, cursor: '' }

// What a title or a name does to the direction of text ends where it ends: <bdi>.
const item = ({ cursor, dt, kind, who, words, what, address, story, where, home }: Event) => html`<li data-cursor="${cursor}">
  <time datetime="${dt}">${dt.slice(0, 16).replace('T', ' ')} UTC</time>
  <a class="kind" data-kind="${kind}" href="?kind=${encodeURIComponent(kind)}" title="Only events of this kind">${kind.replaceAll('_', ' ')}</a>
  <span class="told"><bdi class="who">${who}</bdi> <span class="words">${words}</span> ${link('what', what, address)}
  <span class="in">in ${link('where', where, home)}</span>
  <a class="story"${story === '' ? '' : html` href="${story}"`}>what came of it</a></span>
</li>`

const link = (name: string, text: string, address: string) =>
  html`<a class="${name}"${address === '' ? '' : html` href="${address}" rel="noreferrer"`}><bdi>${text}</bdi></a>`

// One replay: how far it is, and what can be done about it.
import { html } from 'hono/html'
import type { Progress } from '../../actions/replay/list.ts'
import { ownForm, type Visitor } from '../door/visitor.ts'
import type { Html } from '../html/frame.ts'
import { reasonField } from '../html/reason.ts'
import { ago, count, foreign, state } from '../html/words.ts'

/** How far it is; `isHere` says that this worker runs it. */
export function replayCard(replay: Progress, isHere: boolean): Html {
  const { id, at, who, reason, chosen, replayed, failedAgain, left, lost, stopped } = replay
  const over = replayed + left + lost
  return html`<p>${state(replay.state)} begun ${ago(at)} by ${foreign(who)}: ${foreign(reason)}</p>
${stopped === undefined ? '' : html`<p class="notice warn">It ended early: ${stopped}.</p>`}
<label for="progress-${id}">${count(over)} of ${count(chosen)} processed</label>
<progress id="progress-${id}" max="${Math.max(1, chosen)}" value="${chosen === 0 ? 1 : over}"></progress>
<ul class="figures">
<li><b>${count(replayed)}</b> put back</li>
<li${failedAgain > 0 ? html` class="bad"` : ''}><b>${count(failedAgain)}</b> failed again</li>
<li><b>${count(left)}</b> were not dead letters any more</li>
<li><b>${count(lost)}</b> could not be put back</li>
</ul>
<p><small>${whatWasChosen(replay)}; at most ${replay.rate} a second.${replay.state === 'going' && !isHere ? ' This worker does not run it: the command line or another worker does, or nobody does since its process ended.' : ''}</small></p>`
}

function whatWasChosen({ selection }: Progress): Html {
  if ('ids' in selection) return html`${count(selection.ids.length)} chosen one by one`
  return html`Chosen by${Object.entries(selection.filters).map(([name, value]) => html` ${name} <b>${foreign(value)}</b>`)}`
}

/** The buttons that fit its state. */
export function replayButtons({ id, state: word }: Progress, isHere: boolean, visitor: Visitor): Html {
  if (word === 'done' || word === 'choosing') return html`<p><a href="/dead">To the dead letters</a></p>`
  if (!visitor.mayChange) return html``
  return html`<form class="card" method="post">${ownForm(visitor)}
${reasonField('replay')}
<p class="buttons">
${word === 'going' ? html`<button class="danger" formaction="/replays/${id}/stop">Stop</button>` : ''}
${word === 'going' && isHere ? '' : html`<button formaction="/replays/${id}/continue">${word === 'stopped' ? 'Begin again' : 'Continue'}</button>`}
</p></form>`
}

// `/deliveries/<id>`: all that is known about one delivery, and what can be done about it.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { type Explained, explain } from '../../actions/explain.ts'
import { redeliver } from '../../actions/redeliver.ts'
import { repairForm } from '../dead/repair-form.ts'
import { ownForm, type Visited, type Visitor } from '../door/visitor.ts'
import { type Html, page } from '../html/frame.ts'
import { reasonField, reasonSchema } from '../html/reason.ts'
import { table } from '../html/table.ts'
import { ago, foreign, moment, outward, state, storyOf } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal } from '../refusal.ts'

export function story(pageContext: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.get('/deliveries/:id', async (c: Context<Visited>) => {
    const told = await explain(pageContext.contextFor(c.var.visitor.who), c.req.param('id') ?? '')
    if (!told) return refusal(c, 404, 'No such delivery', 'The journal does not have it: it never came, or it has been pruned.')
    return page(
      c,
      `Delivery ${told.id}`,
      html`<p>${foreign(told.sentence)}.</p>${facts(told)}${decisions(told)}${effects(told)}${actions(told, c.var.visitor, c.req.query('sent') === 'again')}`,
    )
  })
  app.post('/deliveries/:id/redeliver', async (c) => {
    const read = reasonSchema.safeParse(await c.req.parseBody())
    if (!read.success) return refusal(c, 400, 'Nothing has been changed', 'Say why: a reason is needed.')
    const id = c.req.param('id')
    const { redelivered } = await redeliver(pageContext.contextFor(c.var.visitor.who), { ids: [id] }, { reason: read.data.reason })
    if (redelivered === 0)
      return refusal(c, 404, 'Nothing has been changed', 'The journal does not have this delivery any more, or cannot read it.')
    return c.redirect(`${storyOf(id)}?sent=again`, 303)
  })
  return app
}

function facts({ receivedAt, kind, action, project, mr, user, title, privacy }: Explained): Html {
  const rows: Array<[string, Html | string]> = [
    ['Received', html`${moment(receivedAt)} (${ago(receivedAt)})`],
    ['What', `${kind}${action === null ? '' : ` ${action}`}`],
    ['Where', foreign(mr ?? project)],
    ['By', foreign(user)],
    ['Title', foreign(title)],
    ...(privacy === null ? [] : [['Privacy', foreign(privacy)] satisfies [string, Html | string]]),
  ]
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`
}

function decisions({ decisions: decided }: Explained): Html {
  const rows = decided.map(({ sink, reason }) => [sink, reason === null ? state('acts') : html`nothing: ${foreign(reason)}`])
  return html`<h2>What each sink decided</h2>${table('Decisions', ['Sink', '~Decision'], rows, 'Nothing has been decided yet.')}`
}

function effects({ effects: made }: Explained): Html {
  if (made.length === 0) return html``
  return html`<h2>What came of it</h2>${made.map(
    ({ id, sink, task, attempts, outcome }) => html`<article class="card">
<h3>${sink}${task === null ? '' : ` ${task}`} ${state(outcome.state)}</h3>
<p>${outcome.reason === null ? '' : foreign(outcome.reason)} ${outward(outcome.link, 'Open it')} ${outcome.at === null ? '' : ago(outcome.at)}</p>
${
  attempts.length === 0
    ? ''
    : table(
        'Attempts that failed',
        ['When', '#Took', '~Why'],
        attempts.map(({ at, ms, error }) => [moment(at), `${ms} ms`, foreign(error)]),
        '',
      )
}
<p><small><code>${id}</code></small></p>
</article>`,
  )}`
}

function actions({ id, effects: made }: Explained, visitor: Visitor, sentAgain: boolean): Html {
  const dead = made.filter(({ outcome }) => outcome.state === 'dead').map((effect) => effect.id)
  if (!visitor.mayChange) return html``
  return html`${dead.length === 0 ? '' : html`<h2>${dead.length === 1 ? 'The dead letter' : 'The dead letters'}</h2>${repairForm(visitor, { ids: dead })}`}
<h2>Send it through again</h2>
${sentAgain ? html`<p class="notice good" role="status">The delivery is on its way again.</p>` : ''}
<form class="card" method="post" action="${storyOf(id)}/redeliver">${ownForm(visitor)}
<p>The delivery is taken from the journal and planned again for all sinks. What has been made already is not made twice.</p>
${reasonField('redeliver')}
<p><button>Redeliver</button></p></form>`
}

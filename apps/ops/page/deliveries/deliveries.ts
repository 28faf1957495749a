// `/deliveries`: what came, newest first, with all the filters of the command line; a page at a time.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { states } from '#shared/journal/search/filters.ts'
import { type DeliveryRow, listDeliveries } from '../../actions/deliveries.ts'
import type { Visited } from '../door/visitor.ts'
import { filterForm, queryOf, readFilters } from '../html/filter-form.ts'
import { page } from '../html/frame.ts'
import { cursorOf, older, pageOf, readCursor, sizeOf } from '../html/paging.ts'
import { table } from '../html/table.ts'
import { ago, foreign, state, storyOf } from '../html/words.ts'
import { redeliverForm } from '../maintenance/redeliver.ts'
import type { PageContext } from '../page-context.ts'
import { explainForm } from './merge-request.ts'

export function deliveries({ database }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.get('/deliveries', async (c: Context<Visited>) => {
    const asked = readFilters(c.req.query())
    if (asked.mistakes.length > 0) return page(c, 'Deliveries', filterForm(asked, '/deliveries', { states }), 400)
    const limit = sizeOf(asked.filters)
    const rows = await listDeliveries(database, { ...asked.filters, limit: limit + 1 }, readCursor(c.req.query('before')))
    const { shown, last } = pageOf(rows, limit)
    return page(
      c,
      'Deliveries',
      html`${explainForm()}
${filterForm(asked, '/deliveries', { states })}
${table('Deliveries, newest first', ['Received', '~What', 'Where', 'By', 'Outcome', 'Delivery'], shown.map(cells), 'No delivery matches.')}
${older(last && `/deliveries?${queryOf(asked, { before: cursorOf(last.receivedAt, last.id) })}`)}${redeliverForm(asked, c.var.visitor)}`,
    )
  })
  return app
}

function cells({ id, receivedAt, kind, action, project, mr, user, title, done, nothing, dead, planned }: DeliveryRow) {
  const outcomes = Object.entries({ dead, done, waiting: planned, nothing }).filter(([, count]) => count > 0)
  return [
    ago(receivedAt),
    html`<a href="${storyOf(id)}">${kind}${action === null ? '' : ` ${action}`}</a>${title === null ? '' : html`<br><small class="title">${foreign(title)}</small>`}`,
    foreign(mr ?? project),
    foreign(user),
    outcomes.length === 0
      ? 'nothing to do'
      : html`${outcomes.map(([word, count]) => html`<span class="one">${state(word)}${count > 1 ? ` × ${count}` : ''}</span> `)}`,
    html`<code title="${id}">${id.length > 14 ? `${id.slice(0, 13)}…` : id}</code>`,
  ]
}

// Sends all deliveries through again that a filter chooses; first they are only counted.
import { Hono } from 'hono'
import { html } from 'hono/html'
import { countDeliveries, type Redelivered, redeliver as send } from '../../actions/redeliver.ts'
import type { Visited, Visitor } from '../door/visitor.ts'
import { type Asked, isFiltered, readFilters } from '../html/filter-form.ts'
import { type Html, page } from '../html/frame.ts'
import { count, many } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal } from '../refusal.ts'
import { actForm, dryRunForm, stepSchema } from './two-steps.ts'

const patienceMs = 20_000
const mostAtOnce = 1000

/** The first step, below the deliveries that `asked` chooses. */
export function redeliverForm(asked: Asked, visitor: Visitor): Html {
  if (!isFiltered(asked) || !visitor.mayChange) return html``
  const fields = Object.entries(asked.typed).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
  return html`<h2>Send all that match through again</h2>${dryRunForm(visitor, 'redeliver', html`${fields}`)}`
}

export function redeliver({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.post('/maintenance/redeliver', async (c) => {
    const body = await c.req.parseBody()
    const step = stepSchema.safeParse(body)
    if (!step.success) return refusal(c, 400, 'Nothing has been changed', 'Say why: a reason is needed.')
    // The limit says how many are on a page, not how many are meant.
    const asked = readFilters({ ...body, limit: undefined })
    const fault = asked.mistakes[0] ?? (isFiltered(asked) ? undefined : 'Choose some deliveries with a filter first.')
    if (fault !== undefined) return refusal(c, 400, 'Nothing has been changed', fault)
    const { filters, typed } = asked
    const context = contextFor(c.var.visitor.who)
    const matching = await countDeliveries(context.database, { filters })
    if (matching > mostAtOnce) return refusal(c, 400, 'Nothing has been changed', tooMany(matching))
    if (step.data.do === 'dry-run') return page(c, 'Dry run: redeliver', wouldSend(matching, typed, c.var.visitor))
    const sent = await send(context, { filters }, { reason: step.data.reason, signal: AbortSignal.timeout(patienceMs) })
    return page(c, 'Redeliver', report(sent))
  })
  return app
}

function tooMany(matching: number): string {
  return `${count(matching)} deliveries match, and at most ${count(mostAtOnce)} can be sent at once here: narrow the filter, or type bin/ops redeliver.`
}

const back = html`<p><a href="/deliveries">Back to the deliveries</a></p>`

function wouldSend(matching: number, typed: Asked['typed'], visitor: Visitor): Html {
  return html`<p>Nothing has been changed. ${many(matching, 'delivery matches', 'deliveries match')}${Object.entries(typed).map(([name, value]) => html` ${name} <b><bdi>${value}</bdi></b>`)}.
What has been made already is not made twice.</p>
${matching === 0 ? '' : actForm(visitor, 'redeliver', 'Redeliver them', typed)}${back}`
}

function report({ redelivered, letGo, leftOut, unreadable, missing, interrupted }: Redelivered): Html {
  return html`<p class="notice good" role="status">${many(redelivered, 'delivery is', 'deliveries are')} on the way again.</p>
${interrupted ? html`<p class="notice warn">It took too long to send all: narrow the filter, and do it again for the rest.</p>` : ''}
${unreadable.length + missing.length > 0 ? html`<p class="notice warn">The journal cannot read, or does not have any more: ${[...unreadable, ...missing].slice(0, 20).join(', ')}</p>` : ''}
${letGo + leftOut > 0 ? html`<p>What was discarded of them stays so.</p>` : ''}${back}`
}

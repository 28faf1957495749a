// `POST /dead`: does what the form asked for, by the same actions as the command line.
import { Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { discard } from '../../actions/discard.ts'
import { beginReplay } from '../../actions/replay/begin.ts'
import { planReplay, type ReplayPlan } from '../../actions/replay/plan.ts'
import { noDeadLetters, type Selection } from '../../actions/selection.ts'
import type { Visited, Visitor } from '../door/visitor.ts'
import { type Asked, isFiltered, readFilters } from '../html/filter-form.ts'
import { type Html, page } from '../html/frame.ts'
import { table } from '../html/table.ts'
import { foreign } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal } from '../refusal.ts'
import { repairForm } from './repair-form.ts'

const rateRange = 'How many a second: a number from 0.1 to 1000.'
const listed = z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(z.string()))
const repairSchema = z
  .object({
    do: z.enum(['dry-run', 'replay', 'discard']),
    which: z.enum(['ticked', 'matching']),
    letter: listed,
    reason: z.string().trim().default(''),
    rate: z.coerce.number(rateRange).min(0.1, rateRange).max(1000, rateRange),
  })
  .refine((form) => form.do === 'dry-run' || form.reason !== '', 'Say why: a reason is needed.')
  .refine((form) => form.which === 'matching' || form.letter.length > 0, 'Tick the dead letters that you mean.')

const mostPlanned = 50
const planRate = 20
const patienceMs = 20_000

export function repair(pageContext: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.post('/dead', async (c) => {
    const body = await c.req.parseBody({ all: true })
    const read = repairSchema.safeParse(body)
    const asked = readFilters(body)
    const mistakes = [...(read.success ? [] : read.error.issues.map(({ message }) => message)), ...asked.mistakes]
    if (!read.success || mistakes.length > 0) return refusal(c, 400, 'Nothing has been changed', mistakes.join(' '))
    const { letter: ids, which, reason, rate } = read.data
    if (which === 'matching' && !isFiltered(asked))
      return refusal(c, 400, 'Nothing has been changed', 'Choose some dead letters with a filter first.')
    const fault = which === 'matching' ? noDeadLetters(asked.filters) : undefined
    if (fault !== undefined) return refusal(c, 400, 'Nothing has been changed', `state: ${fault}.`)
    const selection = which === 'ticked' ? { ids } : { filters: asked.typed }
    const context = pageContext.contextFor(c.var.visitor.who)
    if (read.data.do === 'replay') {
      const { id } = await beginReplay(context, selection, { reason, rate })
      pageContext.runner.run(id, context)
      return c.redirect(`/replays/${id}`, 303)
    }
    if (read.data.do === 'discard') {
      const { discarded } = await discard(context, selection, { reason })
      return c.redirect(`/dead?discarded=${discarded}`, 303)
    }
    const planned = await planReplay(context, firstOf(selection), { rate: planRate, signal: AbortSignal.timeout(patienceMs) })
    return page(c, 'Dry run', dryRun(planned, selection, asked, c.var.visitor))
  })
  return app
}

// The remotes are asked for each, and somebody waits for the page.
function firstOf(selection: Selection): Selection {
  if ('ids' in selection) return { ids: selection.ids.slice(0, mostPlanned) }
  const limit = Math.min(mostPlanned, Number(selection.filters.limit ?? mostPlanned))
  return { filters: { ...selection.filters, limit: String(limit) } }
}

function dryRun({ plans, interrupted }: ReplayPlan, selection: Selection, asked: Asked, visitor: Visitor): Html {
  const rows = plans.map(({ id, sink, would }) => [sink, foreign(would), html`<small><code>${id}</code></small>`])
  const same = 'ids' in selection ? { ids: selection.ids } : { list: html``, asked }
  return html`<p>Nothing has been changed. This is what a replay would do now${plans.length === mostPlanned ? ` with ${mostPlanned} of them` : ''}:</p>
${interrupted ? html`<p class="notice warn">It took too long: only these ${plans.length} were checked.</p>` : ''}
${table('What a replay would do', ['Sink', '~Would', '~Letter'], rows, 'None of these is a dead letter any more.')}
${plans.length === 0 ? '' : html`<h2>What to do with them</h2>${repairForm(visitor, same)}`}
<p><a href="/dead">Back to the dead letters</a></p>`
}

// Removes from the journal what is older than it is kept; first only counted.
import { Hono } from 'hono'
import { html } from 'hono/html'
import type { Pruned } from '#shared/journal/prune.ts'
import { prune as pruneNow } from '../../actions/prune.ts'
import type { Visited, Visitor } from '../door/visitor.ts'
import { type Html, page } from '../html/frame.ts'
import { table } from '../html/table.ts'
import { count, moment } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal } from '../refusal.ts'
import { actForm, back, stepSchema } from './two-steps.ts'

const patienceMs = 20_000

export function prune({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.post('/maintenance/prune', async (c) => {
    const step = stepSchema.safeParse(await c.req.parseBody())
    if (!step.success) return refusal(c, 400, 'Nothing has been changed', 'Say why: a reason is needed.')
    const context = contextFor(c.var.visitor.who)
    const keepDays = context.config.journalKeepDays
    const dryRun = step.data.do === 'dry-run'
    const pruned = await pruneNow(context, step.data.reason, { keepDays, dryRun, signal: AbortSignal.timeout(patienceMs) })
    return page(c, dryRun ? 'Dry run: prune' : 'Prune', report(pruned, c.var.visitor))
  })
  return app
}

function report({ before, dryRun, interrupted, kept, removed }: Pruned, visitor: Visitor): Html {
  const rows = Object.entries(removed).map(([name, number]) => [name, count(number)])
  const some = Object.values(removed).some((number) => number > 0)
  const early = dryRun
    ? 'It took too long: there is more than is counted here.'
    : 'It took too long to remove all at once: do it again for the rest.'
  return html`<p>${dryRun ? 'Nothing has been changed. This would be removed' : 'This was removed'} from before ${moment(before)}:</p>
${interrupted ? html`<p class="notice warn" role="status">${early}</p>` : ''}
${table('Rows of the journal', ['Table', dryRun ? '#Would be removed' : '#Removed'], rows, 'Nothing is that old.')}
${kept > 0 ? html`<p>Old deliveries that stay for their dead letters: ${count(kept)}.</p>` : ''}
${(dryRun && some) || interrupted ? actForm(visitor, 'prune', 'Remove them') : ''}${back}`
}

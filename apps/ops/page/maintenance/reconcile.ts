// Asks GitLab for events whose hooks never came; first only to tell them, then to hand them in.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import type { Filters } from '#shared/journal/search/filters.ts'
import { inWords } from '#shared/process/errors.ts'
import { reconcile as compare, type Missed, type Reconciled } from '../../actions/reconcile/reconcile.ts'
import { stillComingMs, whyNotKnown } from '../../actions/reconcile/window.ts'
import type { Visited, Visitor } from '../door/visitor.ts'
import { readFilters } from '../html/filter-form.ts'
import { type Html, page } from '../html/frame.ts'
import { table } from '../html/table.ts'
import { ago, foreign, many, moment } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal, whatIsAway } from '../refusal.ts'
import { actForm, back, stepSchema } from './two-steps.ts'

const patienceMs = 30_000
const mostShown = 200

/** What the first step asks for. */
export const reconcileFields = html`<div class="fields">
<div><label for="reconcile-since">Since</label>
<input id="reconcile-since" name="since" required placeholder="2h, or 2026-11-23T10:00Z" autocomplete="off" spellcheck="false"></div>
<div><label for="reconcile-until">Until <small>else ten minutes ago: younger hooks may still come</small></label>
<input id="reconcile-until" name="until" placeholder="30m" autocomplete="off" spellcheck="false"></div>
</div>`

export function reconcile({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.post('/maintenance/reconcile', async (c) => {
    const body = await c.req.parseBody()
    const step = stepSchema.safeParse(body)
    if (!step.success) return refusal(c, 400, 'Nothing has been changed', 'Say why: a reason is needed.')
    const { filters, mistakes } = readFilters({ since: body.since, until: body.until })
    const { since, until, mistake } = windowOf(filters)
    const context = contextFor(c.var.visitor.who)
    const fault = mistakes[0] ?? mistake ?? (await whyNotKnown(context, since).then((reason) => reason && `since: ${reason}.`))
    if (fault !== undefined) return refusal(c, 400, 'Nothing has been changed', fault)
    const signal = AbortSignal.timeout(patienceMs)
    const dryRun = step.data.do === 'dry-run'
    try {
      const options = { since, until, dryRun, reason: step.data.reason, signal, onProgress: () => undefined, onWait: () => undefined }
      const found = await compare(context, options)
      return page(c, dryRun ? 'Dry run: reconcile' : 'Reconcile', report(found, { since, until, dryRun }, c.var.visitor))
    } catch (error) {
      if (whatIsAway(error) !== undefined && !signal.aborted) throw error
      return unfinished(c, dryRun, signal.aborted ? tooLong : inWords(error))
    }
  })
  return app
}

const tooLong = `It took longer than ${patienceMs / 1000} s. Choose a shorter time, or type bin/ops reconcile, which has no such limit.`

function unfinished(c: Context<Visited>, dryRun: boolean, reason: string) {
  const known = dryRun ? 'Nothing has been changed.' : 'The audit log says what was handed in, if anything.'
  return refusal(c, 503, 'GitLab and the journal could not be compared', `${known} ${reason}`)
}

function windowOf({ since = new Date(Number.NaN), until = new Date(Date.now() - stillComingMs) }: Filters) {
  if (Number.isNaN(since.getTime())) return { since, until, mistake: 'since: say from when on, such as 2h or 2026-11-23T10:00Z.' }
  return {
    since,
    until,
    mistake: since < until ? undefined : 'since: expected a time before until, which is ten minutes ago unless you say otherwise.',
  }
}

type Window = { since: Date; until: Date; dryRun: boolean }

function report(
  { looked, missed, handedIn, unreadable, interrupted }: Reconciled,
  { since, until, dryRun }: Window,
  visitor: Visitor,
): Html {
  const window = { since: since.toISOString(), until: until.toISOString() }
  const isLeft = missed.length > 0 && (dryRun || interrupted)
  return html`<p>${dryRun ? 'Nothing has been changed. ' : ''}${many(looked, 'merge request', 'merge requests')} checked from ${moment(window.since)} until ${moment(window.until)}:
${many(missed.length, 'event', 'events')} missed, ${handedIn} handed in.</p>
${interrupted ? html`<p class="notice warn" role="status">It took too long to hand all in at once: do it again for the rest.</p>` : ''}
${unreadable.map(({ mr, reason }) => html`<p class="notice warn">${foreign(mr)}: ${foreign(reason)}</p>`)}
${missed.length > mostShown ? html`<p>The first ${mostShown} of them:</p>` : ''}
${table('What was missed', ['Merge request', 'What', 'When', 'By', '~Delivery'], missed.slice(0, mostShown).map(row), 'Nothing was missed.')}
${isLeft ? actForm(visitor, 'reconcile', 'Hand them in', window) : ''}${back}`
}

function row({ mr, action, at, user, id }: Missed) {
  return [foreign(mr), action, ago(at), foreign(user), html`<small><code>${id}</code></small>`]
}

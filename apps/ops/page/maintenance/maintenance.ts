// `/maintenance`: what is done now and then, and not to single deliveries or dead letters.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import type { Visited } from '../door/visitor.ts'
import { page } from '../html/frame.ts'
import type { PageContext } from '../page-context.ts'
import { canary, canaryPart } from './canary.ts'
import { losses, lossesPart } from './losses.ts'
import { prune } from './prune.ts'
import { reconcile, reconcileFields } from './reconcile.ts'
import { redeliver } from './redeliver.ts'
import { token, tokenPart } from './token.ts'
import { dryRunForm } from './two-steps.ts'

export function maintenance(pageContext: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.get('/maintenance', async (c: Context<Visited>) => {
    const { visitor } = c.var
    const context = pageContext.contextFor(visitor.who)
    const firstStep = (...of: [name: string, fields?: ReturnType<typeof html>]) => (visitor.mayChange ? dryRunForm(visitor, ...of) : '')
    const [lost, ofToken] = await Promise.all([lossesPart(context, visitor), tokenPart(context, visitor)])
    return page(
      c,
      'Maintenance',
      html`<section><h2>Losses</h2>${lost}</section>
<section><h2>Reconcile</h2>
<p>Asks GitLab which merge requests were opened, closed, reopened, merged or pushed to, and hands in what no hook told. A dry run comes first.</p>
${firstStep('reconcile', reconcileFields)}</section>
<section><h2>Canary</h2>
<p>A test delivery shows whether the whole way works, from the address that GitLab posts to, to the feed.</p>
${canaryPart(visitor)}</section>
<section><h2>GitLab token</h2>${ofToken}</section>
<section><h2>Prune</h2>
<p>The worker removes every night what is older than ${context.config.journalKeepDays} days (JOURNAL_KEEP_DAYS), but for dead letters. A dry run comes first.</p>
${firstStep('prune')}</section>
<section><h2>Only on the command line</h2>
<p><code>bin/ops import</code> reads an event log, which is a file where ingest is, and <code>bin/ops tail</code> follows the feed, as the page of ingest does.</p></section>`,
    )
  })
  for (const part of [losses, reconcile, canary, token, prune, redeliver]) app.route('/', part(pageContext))
  return app
}

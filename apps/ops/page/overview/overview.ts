// `/`: how everything stands, kept up to date while somebody looks.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { cached } from '#sinks/http/cache.ts'
import { type PartState, type Status, status } from '../../actions/status.ts'
import type { Visited } from '../door/visitor.ts'
import { type Html, page } from '../html/frame.ts'
import type { PageContext } from '../page-context.ts'
import { whatIsAway } from '../refusal.ts'
import { figures } from './figures.ts'
import { type Hour, lastDay } from './hours.ts'
import { plot } from './plot.ts'
import { processes, queues, remotes } from './standing.ts'

const dayKeptMs = 10_000

export function overview({ database, contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  // Somebody may look every few seconds, and many may.
  const day = cached(() => lastDay(database), { ms: dayKeptMs, most: 1 })
  app.get('/', async (c: Context<Visited>) => {
    const [now, drawn] = await Promise.all([
      status(contextFor(c.var.visitor.who)),
      orWhy(async () => plots(await day('', c.req.raw.signal))),
    ])
    return page(
      c,
      'Overview',
      html`<section id="figures" data-live>${lost(now)}${away('Redis', now.redis)}${away('The database', now.database)}${figures(now)}</section>
<section id="queues" data-live>${queues(now)}</section>
<section id="day" data-live>${drawn}</section>
<section id="remotes" data-live>${remotes(now)}</section>
<section id="processes" data-live>${processes(now)}</section>`,
    )
  })
  return app
}

// What waits meanwhile, and where.
const waiting = {
  Redis: 'deliveries wait in the spool, effects in their queues',
  'The database': 'effects go on, what waits for it is kept',
}

function away(name: keyof typeof waiting, { state, reason, readable }: PartState): Html {
  if (state === 'up') return html``
  const said = readable ? 'takes no writes' : 'is away, and what is in it is not shown'
  return html`<p class="notice bad" role="alert">${name} ${said}: ${waiting[name]}. <small>${reason}</small></p>`
}

function lost({ losses }: Status): Html {
  return html`${losses.map(({ message, remedy }) => html`<p class="notice bad" role="alert">Lost: ${message}. <small>${remedy}</small> <a href="/maintenance">Acknowledge it</a></p>`)}`
}

// What can be shown is shown, and in place of the rest stands why not.
async function orWhy(make: () => Promise<Html>): Promise<Html> {
  try {
    return await make()
  } catch (error) {
    if (whatIsAway(error) === undefined) throw error
    return html`<h2>The last 24 hours</h2><p class="none">Not known while the database is away.</p>`
  }
}

function plots(day: Hour[]): Html {
  const hours = day.map(({ from }) => `${from.toISOString().slice(11, 16)} UTC`)
  const values = (name: 'deliveries' | 'done' | 'nothing' | 'dead') => day.map((hour) => hour[name])
  return html`<h2>The last 24 hours</h2>
<div class="plots">
${plot('Deliveries', hours, [{ name: 'deliveries', look: 'plain', values: values('deliveries') }])}
${plot('Outcomes', hours, [
  { name: 'done', look: 'good', values: values('done') },
  { name: 'nothing to do', look: 'dim', values: values('nothing') },
  { name: 'dead', look: 'bad', values: values('dead') },
])}
</div>`
}

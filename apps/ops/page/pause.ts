// `/sinks/<sink>`: stops the work of one sink, and lets it go on.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { type Hold, readHold } from '#shared/queue/hold.ts'
import { type SinkName, sinkNames } from '#sinks/registry.ts'
import { pauseSink, resumeSink } from '../actions/pause.ts'
import { asksAgain } from '../print.ts'
import { ownForm, type Visited } from './door/visitor.ts'
import { page } from './html/frame.ts'
import { reasonField } from './html/reason.ts'
import { foreign } from './html/words.ts'
import type { PageContext } from './page-context.ts'
import { refusal } from './refusal.ts'

const sinkSchema = z.enum(sinkNames)
const formSchema = z.object({ do: z.enum(['pause', 'resume', 'ask']), reason: z.string().trim().min(1) })

export function pause({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.get('/sinks/:sink', async (c: Context<Visited>) => {
    const { data: sink } = sinkSchema.safeParse(c.req.param('sink'))
    if (!sink) return refusal(c, 404, 'No such sink', `There are ${sinkNames.join(', ')}.`)
    const { queues, redis, prefix } = contextFor(c.var.visitor.who)
    const [paused, hold] = await Promise.all([queues[sink].isPaused(), readHold(redis, prefix, sink)])
    return page(c, `Sink ${sink}`, sinkForm(sink, { paused, hold }, c.var.visitor))
  })
  app.post('/sinks/:sink', async (c) => {
    const { data: sink } = sinkSchema.safeParse(c.req.param('sink'))
    const { data: form } = formSchema.safeParse(await c.req.parseBody())
    if (!sink || !form) return refusal(c, 400, 'Nothing has been changed', 'Say why: a reason is needed.')
    const context = contextFor(c.var.visitor.who)
    if (form.do === 'pause') await pauseSink(context, sink, form.reason)
    else await resumeSink(context, sink, form.reason, { now: form.do === 'ask' })
    return c.redirect('/', 303)
  })
  return app
}

type Standing = { paused: boolean; hold: Hold | undefined }

function sinkForm(sink: SinkName, { paused, hold }: Standing, visitor: Visited['Variables']['visitor']) {
  const now = html`<p>${paused ? 'It is paused: what comes for it waits, in order.' : 'It is running. While it is paused, what comes for it waits, in order.'}</p>`
  if (!visitor.mayChange) return now
  return html`${now}
${hold ? html`<p>It is on hold: ${foreign(hold.reason)}. It ${asksAgain(hold.until.toISOString())}.</p>` : ''}
<form class="card" method="post">${ownForm(visitor)}
${reasonField('pause')}
<p><button name="do" value="${paused ? 'resume' : 'pause'}">${paused ? 'Resume' : 'Pause'} ${sink}</button>
${hold ? html`<button name="do" value="ask">Ask again now</button>` : ''}</p>
</form>`
}

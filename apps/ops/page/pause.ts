// `/sinks/<sink>`: stops the work of one sink, and lets it go on.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { type SinkName, sinkNames } from '#sinks/registry.ts'
import { pauseSink, resumeSink } from '../actions/pause.ts'
import { ownForm, type Visited } from './door/visitor.ts'
import { page } from './html/frame.ts'
import { reasonField } from './html/reason.ts'
import type { PageContext } from './page-context.ts'
import { refusal } from './refusal.ts'

const sinkSchema = z.enum(sinkNames)
const formSchema = z.object({ do: z.enum(['pause', 'resume']), reason: z.string().trim().min(1) })

export function pause({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.get('/sinks/:sink', async (c: Context<Visited>) => {
    const { data: sink } = sinkSchema.safeParse(c.req.param('sink'))
    if (!sink) return refusal(c, 404, 'No such sink', `There are ${sinkNames.join(', ')}.`)
    const paused = await contextFor(c.var.visitor.who).queues[sink].isPaused()
    return page(c, `Sink ${sink}`, sinkForm(sink, paused, c.var.visitor))
  })
  app.post('/sinks/:sink', async (c) => {
    const { data: sink } = sinkSchema.safeParse(c.req.param('sink'))
    const { data: form } = formSchema.safeParse(await c.req.parseBody())
    if (!sink || !form) return refusal(c, 400, 'Nothing has been changed', 'Say why: a reason is needed.')
    const change = form.do === 'pause' ? pauseSink : resumeSink
    await change(contextFor(c.var.visitor.who), sink, form.reason)
    return c.redirect('/', 303)
  })
  return app
}

function sinkForm(sink: SinkName, paused: boolean, visitor: Visited['Variables']['visitor']) {
  const now = html`<p>${paused ? 'It is paused: what comes for it waits, in order.' : 'It is running. While it is paused, what comes for it waits, in order.'}</p>`
  if (!visitor.mayChange) return now
  return html`${now}
<form class="card" method="post">${ownForm(visitor)}
${reasonField('pause')}
<p><button name="do" value="${paused ? 'resume' : 'pause'}">${paused ? 'Resume' : 'Pause'} ${sink}</button></p>
</form>`
}

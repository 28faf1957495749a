// Losses that nobody has acknowledged yet, and the form that says that they were seen to.
import { Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { acknowledge, type LossState, losses as lossesOf } from '../../actions/losses.ts'
import type { OpsContext } from '../../context.ts'
import { ownForm, type Visited, type Visitor } from '../door/visitor.ts'
import type { Html } from '../html/frame.ts'
import { reasonField } from '../html/reason.ts'
import { table } from '../html/table.ts'
import { foreign } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal } from '../refusal.ts'

const why = 'Say why: a reason is needed.'
const formSchema = z.object({
  loss: z.union([z.string(), z.array(z.string())], { error: 'Tick the losses that you mean.' }).transform((value) => [value].flat()),
  reason: z.string(why).trim().min(1, why),
})

export function losses({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.post('/maintenance/acknowledge', async (c) => {
    const read = formSchema.safeParse(await c.req.parseBody({ all: true }))
    if (!read.success) return refusal(c, 400, 'Nothing has been changed', read.error.issues.map(({ message }) => message).join(' '))
    await acknowledge(contextFor(c.var.visitor.who), read.data.loss, read.data.reason)
    return c.redirect('/maintenance', 303)
  })
  return app
}

/** All of them, with boxes to tick for who may change something. */
export async function lossesPart(context: OpsContext, visitor: Visitor): Promise<Html> {
  const all = await lossesOf(context)
  const list = table('Losses', ['Loss', '~What happened', '~What to do'], all.map(row(visitor)), 'No loss is left to be acknowledged.')
  if (all.length === 0 || !visitor.mayChange) return list
  return html`<form method="post" action="/maintenance/acknowledge">${ownForm(visitor)}${list}
<fieldset class="card"><legend>The ticked ones have been seen to</legend>
${reasonField('acknowledge')}
<p class="buttons"><button>Acknowledge</button></p></fieldset></form>`
}

function row(visitor: Visitor) {
  return ({ id, message, remedy }: LossState, index: number) => [
    visitor.mayChange
      ? html`<input type="checkbox" id="loss-${index}" name="loss" value="${id}"> <label for="loss-${index}">${id}</label>`
      : id,
    foreign(message),
    foreign(remedy),
  ]
}

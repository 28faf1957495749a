// What is done in two steps: a dry run, and then, below what that would do, the act itself, for a reason.
import { html } from 'hono/html'
import { z } from 'zod'
import { ownForm, type Visitor } from '../door/visitor.ts'
import type { Html } from '../html/frame.ts'
import { reasonField } from '../html/reason.ts'

/** Which of the steps, and why. */
export const stepSchema = z
  .object({ do: z.enum(['dry-run', 'act']), reason: z.string().trim().default('') })
  .refine((step) => step.do === 'dry-run' || step.reason !== '', 'Say why: a reason is needed.')

/** The first step, posted to `/maintenance/<name>` with `fields`. */
export function dryRunForm(visitor: Visitor, name: string, fields: Html | string = ''): Html {
  return html`<form class="card" method="post" action="/maintenance/${name}">${ownForm(visitor)}
${fields}
<p class="buttons"><button name="do" value="dry-run" class="quiet">Dry run</button></p></form>`
}

/** The second step, with the same fields as the first; `button` says what it does. */
export function actForm(visitor: Visitor, name: string, button: string, fields: Record<string, string> = {}): Html {
  return html`<form class="card" method="post" action="/maintenance/${name}">${ownForm(visitor)}
${Object.entries(fields).map(([field, value]) => html`<input type="hidden" name="${field}" value="${value}">`)}
${reasonField(name)}
<p class="buttons"><button name="do" value="act">${button}</button></p></form>`
}

export const back = html`<p><a href="/maintenance">Back to maintenance</a></p>`

// Whatever is changed is changed for a reason, which is written down with it.
import { html } from 'hono/html'
import { z } from 'zod'
import type { Html } from './frame.ts'

/** The field for the reason in the form called `name`. */
export function reasonField(name: string): Html {
  return html`<div><label for="${name}-reason">Reason <small>for the record</small></label>
<input id="${name}-reason" name="reason" required maxlength="600" autocomplete="off"></div>`
}

/** A form with a reason in it. */
export const reasonSchema = z.object({ reason: z.string().trim().min(1) })

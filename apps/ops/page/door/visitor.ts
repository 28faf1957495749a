// Who a request comes from, as the pages see it.
import { html } from 'hono/html'

/** `form` is what every form must carry, `canLeave` says that there is a session to log out of, `mayChange` that forms are shown. */
export type Visitor = { who: string; form: string; mayChange: boolean; canLeave?: boolean }

/** What Hono keeps for each request. */
export type Visited = { Variables: { visitor: Visitor } }

/** The field that every form has which changes something. */
export function ownForm({ form }: Visitor) {
  return html`<input type="hidden" name="form" value="${form}">`
}

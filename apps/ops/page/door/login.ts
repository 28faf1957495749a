// The form that asks for the token, and for the name under which one's acts are written down.
import { html } from 'hono/html'
import { frame } from '../html/frame.ts'

export function loginForm({ form, to, message }: { form: string; to: string; message: string | undefined }) {
  return frame(
    'Log in',
    html`${message === undefined ? '' : html`<p class="notice bad" role="alert">${message}</p>`}
<form class="card login" method="post" action="/login">
<input type="hidden" name="form" value="${form}">
<input type="hidden" name="to" value="${to}">
<label for="who">Your name <small>the audit log shows it beside everything you change</small></label>
<input id="who" name="who" required maxlength="60" autocomplete="username" autofocus>
<label for="token">Token <small>the worker's <code>OPS_TOKEN</code></small></label>
<input id="token" name="token" type="password" required autocomplete="current-password">
<button>Log in</button>
</form>`,
  )
}

// `GET /`: says what this is, shows the last events as they come, and how to subscribe. Nothing is loaded from elsewhere.
import { readFileSync } from 'node:fs'
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { exampleAddress, examples } from './examples.ts'
import { searchForm } from './merge-request/page.ts'

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

const assets = [
  { path: '/welcome/live.js', file: 'live.js', type: 'text/javascript; charset=utf-8' },
  { path: '/welcome/story.js', file: 'story.js', type: 'text/javascript; charset=utf-8' },
  { path: '/welcome/style.css', file: 'style.css', type: 'text/css; charset=utf-8' },
]

/**
 * The page and what belongs to it. The examples on it name `publicUrl`; without one they name what the request says of itself,
 * which nobody may be shown but who sent it.
 */
export function welcome(publicUrl: string | undefined): Hono {
  const app = new Hono()
  const cached = { ...headers, 'cache-control': publicUrl === undefined ? 'no-store' : 'max-age=300' }
  app.get('/', (c) => c.html(page(publicUrl ?? addressOf(c)), 200, cached))
  for (const { path, file, type } of assets) {
    const text = readFileSync(new URL(`assets/${file}`, import.meta.url), 'utf8')
    app.get(path, (c) => c.body(text, 200, { ...headers, 'content-type': type, 'cache-control': 'max-age=300' }))
  }
  return app
}

// Where the reader found us, if that is a plain name, for examples that can be copied as they are. A proxy tells how it was asked.
function addressOf(c: Context): string {
  const host = c.req.header('host') ?? ''
  const isSecure = c.req.header('x-forwarded-proto') === 'https'
  return /^[\w.:[\]-]+$/.test(host) ? `${isSecure ? 'https' : 'http'}://${host}` : exampleAddress
}

const page = (address: string) => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>GitLab events, live</title>
    <link rel="stylesheet" href="welcome/style.css" />
    <script type="module" src="welcome/live.js"></script>
  </head>
  <body>
    <h1>GitLab events, live</h1>
    <p>
      Everything that happens in the public projects of a GitLab, as server-sent events at <a href="sse/">/sse/</a>: one line
      of JSON for each event, as GitLab sends it, without private e-mail addresses.
    </p>
    <h2>Now</h2>
    <p id="state" role="status">This needs JavaScript.</p>
    <ul id="events"></ul>
    <h2>Merge requests</h2>
    ${searchForm('.')}
    <h2>Subscribe</h2>
    ${examples.map(
      ({ title, text }) =>
        html`<h3>${title}</h3>
          <pre><code>${text.replaceAll(exampleAddress, () => address)}</code></pre>`,
    )}
    <p>
      Filters are <code>kind</code>, <code>project</code> (a shell pattern) and <code>action</code>, each with several values and
      commas between. <code>since</code> begins at a time, <code>last_event_id</code> after a message. What is gone by then is
      told by an event named <code>gap</code>.
    </p>
  </body>
</html> `

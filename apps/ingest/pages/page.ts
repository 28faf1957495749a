// `GET /`: shows the newest events and those that come, how to read them with a program, and what they have. Nothing is loaded from
// elsewhere, and without JavaScript everything is there but what comes.
import { readFileSync } from 'node:fs'
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { publishedKinds } from '#shared/event/privacy/kinds.ts'
import { BadQuestion } from '../feed/bad-question.ts'
import { type Wish, wishOf } from '../feed/filter.ts'
import type { InSlice } from '../feed/slices.ts'
import { semaphore } from '../semaphore.ts'
import { names, queryOf } from './assets/query.js'
import { eventList } from './events.ts'
import { exampleAddress, exampleFeed, examples } from './examples.ts'
import { searchForm } from './merge-request/page.ts'
import type { Recent } from './recent.ts'
import { reference } from './reference.ts'

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

const types = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' }
const assets = ['live.js', 'list.js', 'earlier.js', 'copy.js', 'story.js', 'told.js', 'query.js', 'style.css', 'live.css']

type Parts = { publicUrl: string | undefined; recent: (wish: Wish | undefined) => Recent; inSlice: InSlice }

// What people type is short; so many pages may wait to be made, and whoever asks then comes again later.
const longestAddress = 1000
const mostWaiting = 200

/**
 * The page and what belongs to it. The examples on it name `publicUrl`; without one they name what the request says of itself,
 * which nobody may be shown but who sent it. One page is made in a turn of the event loop, in the feed's share of it.
 */
export function welcome({ publicUrl, recent, inSlice }: Parts): Hono {
  const app = new Hono()
  const cached = { ...headers, 'cache-control': publicUrl === undefined ? 'no-store' : 'max-age=5' }
  const inTurn = semaphore(1)
  let waiting = 0

  function pageFor(c: Context) {
    const given = (name: string) => c.req.queries(name)?.join(',')
    const boxes = names.map((name) => ({ name, value: given(name) ?? '' }))
    const query = queryOf(given)
    const asked = wishIn(new URLSearchParams(query))
    const address = `${publicUrl ?? addressOf(c)}/sse/${query}`
    const shown = typeof asked === 'string' ? { cursor: undefined, events: [] } : recent(asked)
    return page({ boxes, address, shown, complaint: typeof asked === 'string' ? asked : undefined })
  }

  app.get('/', async (c) => {
    if (c.req.url.length > longestAddress) return c.text('So long a question is for programs: ask the feed itself.', 414, headers)
    if (waiting >= mostWaiting)
      return c.text('Too many look at this page. Come again in a moment.', 503, { ...headers, 'retry-after': '5' })
    waiting += 1
    const made = await inTurn(() => inSlice(() => pageFor(c))).finally(() => (waiting -= 1))
    return c.html(made, 200, cached)
  })
  for (const file of assets) {
    const text = readFileSync(new URL(`assets/${file}`, import.meta.url), 'utf8')
    const type = types[file.endsWith('.js') ? 'js' : 'css']
    app.get(`/welcome/${file}`, (c) => c.body(text, 200, { ...headers, 'content-type': type, 'cache-control': 'max-age=300' }))
  }
  return app
}

function wishIn(query: URLSearchParams): Wish | undefined | string {
  try {
    return wishOf((name) => query.getAll(name))
  } catch (error) {
    if (error instanceof BadQuestion) return error.message
    throw error
  }
}

// Where the reader found us, if that is a plain name, for examples that can be copied as they are. A proxy tells how it was asked.
function addressOf(c: Context): string {
  const host = c.req.header('host') ?? ''
  const isSecure = c.req.header('x-forwarded-proto') === 'https'
  return /^[\w.:[\]-]+$/.test(host) ? `${isSecure ? 'https' : 'http'}://${host}` : exampleAddress
}

const hints = { kind: 'merge_request,push', project: 'repos/releng/*', action: 'open,merge' }
const labels = { kind: 'Kind', project: 'Project', action: 'Action' }

type Page = { boxes: Array<{ name: keyof typeof hints; value: string }>; address: string; shown: Recent; complaint: string | undefined }

const page = ({ boxes, address, shown, complaint }: Page) => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>GitLab events, live</title>
    <link rel="stylesheet" href="welcome/style.css" />
    <link rel="stylesheet" href="welcome/live.css" />
    <script type="module" src="welcome/live.js"></script>
  </head>
  <body>
    <h1>GitLab events, live</h1>
    <p>What happens in the public projects of a GitLab, as it happens. There is nothing to register.</p>
    <form id="boxes" method="get" role="search" aria-label="Which events to show">
      ${boxes.map(
        ({ name, value }) =>
          html`<label>${labels[name]} <input name="${name}" value="${value}" placeholder="${hints[name]}" ${name === 'kind' ? 'list=kinds' : ''} autocomplete="off" autocapitalize="none" spellcheck="false" /></label>`,
      )}
      <datalist id="kinds">${publishedKinds.map((kind) => html`<option value="${kind}"></option>`)}</datalist>
      <span><button>Show</button> <a href="./">Show all</a></span>
    </form>
    <details>
      <summary>Read this with a program: <code id="feed">${address}</code></summary>
      ${examples.map(
        ({ title, text }) =>
          html`<h3>${title}</h3>
            <pre tabindex="0"><code>${text.replaceAll(exampleFeed, () => address)}</code></pre>`,
      )}
    </details>
    <details>
      <summary>What you may ask, and what a message has</summary>
      ${reference()}
    </details>
    ${searchForm('.')}
    <h2>Events</h2>
    <p id="state" role="status" data-state="${complaint === undefined ? '' : 'refused'}">${complaint ?? `The newest at ${new Date().toISOString().slice(11, 16)} UTC. Load the page again for newer ones.`}</p>
    ${eventList(shown)}
    <p id="end"><button id="earlier" type="button" hidden>Earlier ones</button></p>
  </body>
</html> `

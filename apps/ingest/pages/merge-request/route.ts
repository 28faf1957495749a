// `GET /merge-requests/<project>/<number>`: what came of a merge request, for everybody who may know of it. Of anything else the
// answer is one and the same, and comes after the same time, whatever was looked at.
import { setTimeout as pause } from 'node:timers/promises'
import { type Context, Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { inWords, Unavailable } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { pathOf, readAddress, readPath } from '#sinks/story/address.ts'
import type { Hidden } from '../../feed/hidden.ts'
import type { Known, Look } from './look.ts'
import { knownPage, nothingPage } from './page.ts'
import { recently } from './recent.ts'

type Parts = {
  /** Undefined where there is no journal. */
  look: Look | undefined
  hidden: Pick<Hidden, 'known' | 'version'>
  /** Under its path links and forms lead to ingest. */
  publicUrl: string | undefined
  signal: AbortSignal
  log: Log
}

type Answer = { html: string; json: string }

const stepMs = 250
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  vary: 'accept',
}
const forAMoment = { ...headers, 'cache-control': 'max-age=5' }
const soon = { ...headers, 'cache-control': 'no-store', 'retry-after': '5' }

const unknown = 'Nothing is known here of such a merge request: nothing has come about it, or not yet, or its project is not public.'
const notNow = 'What came of a merge request cannot be told at the moment. Try again in a few seconds.'
const noAddress = 'This is not the address of a merge request. One looks like https://gitlab.example/group/project/-/merge_requests/12.'

/** The pages. Until it is known which projects are not public, and while the journal does not answer, they say that they cannot tell. */
export function mergeRequestPages({ look, hidden, publicUrl, signal, log }: Parts): Hono {
  const base = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/$/, '')
  const refusals = {
    404: () => refusal('No such merge request', unknown, base),
    503: () => refusal('Not now', notNow, base),
    400: () => refusal('No address', noAddress, base),
  }
  let isKnown = false
  void hidden.known.then(() => (isKnown = !signal.aborted))
  const tell = recently<Answer | undefined>({
    async load(path) {
      const mr = readPath(path)
      const known = mr && look && (await look(mr))
      return known && { html: String(await knownPage(known, base)), json: JSON.stringify(forPrograms(known)) }
    },
    version: hidden.version,
    sizeOf: (found) => (found === undefined ? 100 : 2 * (found.html.length + found.json.length)),
  })

  async function find(path: string): Promise<Answer | undefined | 'not now'> {
    if (!isKnown || signal.aborted || !look) return 'not now'
    try {
      return await tell(path)
    } catch (error) {
      if (!(error instanceof Unavailable)) log.debug({ reason: inWords(error) }, 'cannot look up a merge request')
      return 'not now'
    }
  }

  const app = new Hono()
  app.get('/merge-requests', async (c) => {
    const mr = readAddress(c.req.query('address') ?? '')
    return mr ? c.redirect(base + pathOf(mr), 303) : say(c, await refusals[400](), 400, forAMoment)
  })
  app.get('/merge-requests/*', async (c) => {
    const asked = performance.now()
    const found = await find(c.req.path)
    if (found === 'not now') return say(c, await refusals[503](), 503, soon)
    if (found) return say(c, found, 200, forAMoment)
    await pause(Math.ceil(stepMs - ((performance.now() - asked) % stepMs)))
    return say(c, await refusals[404](), 404, forAMoment)
  })
  return app
}

function say(c: Context, { html, json }: Answer, status: 200 | 400 | 404 | 503, more: Record<string, string>): Response {
  const form = accepts(c, { header: 'Accept', supports: ['text/html', 'application/json'], default: 'text/html' })
  return form === 'application/json'
    ? c.body(json, status, { ...more, 'content-type': 'application/json', 'access-control-allow-origin': '*' })
    : c.html(html, status, more)
}

async function refusal(title: string, sentence: string, base: string): Promise<Answer> {
  return { html: String(await nothingPage(title, sentence, base)), json: JSON.stringify({ error: sentence }) }
}

// What each attempt met is for operators.
function forPrograms({ name, url, asOf, sentence, stories }: Known) {
  const deliveries = stories.map(({ effects, ...story }) => ({
    ...story,
    effects: effects.map(({ id, sink, task, outcome: { state, reason, link, at } }) => ({
      id,
      sink,
      task,
      outcome: { state, reason, link, at },
    })),
  }))
  return { mergeRequest: name, url: url ?? null, asOf, sentence, deliveries }
}

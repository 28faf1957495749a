// A test delivery, the whole way from the public address to the feed. Its address cannot be typed here: the delivery carries the
// SOURCE_TOKEN, and whoever may use this page need not know that.
import { Hono } from 'hono'
import { html } from 'hono/html'
import { BadConfiguration, readEnvironment, webAddress } from '#shared/process/env.ts'
import { canaryVariables, type Flight, howFar, sendCanary } from '../../actions/canary.ts'
import { ownForm, type Visited, type Visitor } from '../door/visitor.ts'
import { type Html, page } from '../html/frame.ts'
import { table } from '../html/table.ts'
import { foreign } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal } from '../refusal.ts'
import { back } from './two-steps.ts'

const patienceMs = 15_000
const variables = canaryVariables.extend({ PUBLIC_URL: webAddress.optional() })

export function canary({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.post('/maintenance/canary', async (c) => {
    const way = wayOfIt()
    if ('missing' in way) return refusal(c, 400, 'Nothing has been sent', way.missing)
    const flight = await sendCanary({ ...way, timeout: patienceMs })
    const stages = flight.read ? { routed: true, published: true } : await howFar(contextFor(c.var.visitor.who), flight)
    return page(c, 'Canary', report({ ...flight, ...stages }))
  })
  return app
}

export function canaryPart(visitor: Visitor): Html {
  const way = wayOfIt()
  if ('missing' in way) return html`<p class="none">${way.missing}</p>`
  const where = html`<p>To ${way.hooks.href}, at most ${patienceMs / 1000} s. No sink but the feed acts on it.</p>`
  if (!visitor.mayChange) return where
  return html`<form class="card" method="post" action="/maintenance/canary">${ownForm(visitor)}${where}
<p class="buttons"><button>Send a test delivery</button></p></form>`
}

// Ingest has these variables; a worker need not.
function wayOfIt() {
  try {
    const { SOURCE_TOKEN: token, SOURCE_SIGNING_KEY: signingKey, PORT: port, PUBLIC_URL: base } = readEnvironment(variables)
    const at = base ?? `http://127.0.0.1:${port}`
    return { hooks: new URL(`${at}/hooks`), feed: new URL(`${at}/sse/`), token, signingKey }
  } catch (error) {
    if (!(error instanceof BadConfiguration)) throw error
    return { missing: `This worker has not what it takes (${error.mistakes.join('; ')}): type bin/ops canary where ingest is.` }
  }
}

function report({ id, answered, routed, published, read, ms, problem }: Flight & { routed: boolean; published: boolean }): Html {
  if (read) return html`<p class="notice good" role="status">${id} came out of the feed after ${ms} ms.</p>${back}`
  const reached = { 'answered 202': answered, routed, published, read }
  const rows = Object.entries(reached).map(([stage, is]) => [stage, is ? 'yes' : 'no'])
  return html`<p class="notice bad" role="alert">${id} did not come out of the feed. ${foreign(problem)}</p>
${table('How far it came', ['Stage', 'Reached'], rows, '')}${back}`
}

// `/doctor`: looks at everything the service stands on, and says what is wrong and how to repair it.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { cached } from '#sinks/http/cache.ts'
import { doctor as examine } from '../actions/doctor/doctor.ts'
import type { Visited } from './door/visitor.ts'
import { page } from './html/frame.ts'
import { table } from './html/table.ts'
import { foreign, state } from './html/words.ts'
import type { PageContext } from './page-context.ts'

const patienceMs = 30_000
const keptMs = 5000

export function doctor({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  // It calls every remote, which should not happen as often as somebody presses a key.
  const look = cached((who, signal) => examine(contextFor(who), signal), { ms: keptMs, most: 1 })
  app.get('/doctor', async (c: Context<Visited>) => {
    const findings = await look(c.var.visitor.who, AbortSignal.timeout(patienceMs))
    const rows = findings.map(({ id, state: word, message, remedy }) => [id, state(word), foreign(message), foreign(remedy)])
    return page(c, 'Doctor', html`${table('Findings', ['About', 'State', '~What was found', '~What to do'], rows, '')}`)
  })
  return app
}

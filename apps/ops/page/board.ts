// `/queues`: the raw jobs, to be looked at only. bull-board shows them; the fonts it would fetch from elsewhere are
// taken out, and whatever would change a job is refused before it gets there.
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono, type MiddlewareHandler } from 'hono'
import type { Queues } from '#sinks/queues.ts'
import type { Visited } from './door/visitor.ts'
import { boardHeaders } from './headers.ts'
import { refusal } from './refusal.ts'

const uiConfig = {
  boardTitle: 'Raw queues',
  hideRedisDetails: true,
  showWorkers: false,
  hideDocsLink: true,
  miscLinks: [{ text: 'Back to the overview', url: '/' }],
}

export function board(queues: Queues): Hono<Visited> {
  const adapter = new HonoAdapter(serveStatic).setBasePath('/queues')
  const shown = Object.values(queues).map((queue) => new BullMQAdapter(queue, { readOnlyMode: true }))
  createBullBoard({ queues: shown, serverAdapter: adapter, options: { uiConfig } })
  const app = new Hono<Visited>()
  app.use('/queues/*', boardHeaders, lookOnly)
  app.route('/queues', adapter.registerPlugin())
  return app
}

const lookOnly: MiddlewareHandler<Visited> = async function lookOnly(c, next) {
  if (c.req.method !== 'GET') return refusal(c, 403, 'Nothing has been changed', 'The raw queues can only be viewed here.')
  await next()
  if (!c.res.headers.get('content-type')?.startsWith('text/html')) return
  const text = await c.res.text()
  c.res = new Response(text.replaceAll(/<link href="https?:[^>]*>/g, ''), c.res)
}

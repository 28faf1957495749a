// The routes of the public listener.
import type { HttpBindings } from '@hono/node-server'
import { type Handler, Hono } from 'hono'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'

type Bindings = { Bindings: HttpBindings }

export function createApp({
  takeDelivery,
  feed,
  pages,
  health,
  log,
}: {
  takeDelivery: Handler<Bindings>
  feed: Handler<Bindings>
  pages: Hono[]
  health: Hono
  log: Log
}) {
  const app = new Hono<Bindings>()
  // One route for all methods: where two match, Hono composes them for each request.
  for (const path of ['/hooks', '/hooks/']) {
    app.all(path, (c, next) =>
      c.req.method === 'POST' ? takeDelivery(c, next) : c.json({ error: 'Only POST is taken here.' }, 405, { allow: 'POST' }),
    )
  }
  for (const path of ['/sse', '/sse/']) app.all(path, feed)
  for (const part of [...pages, health]) app.route('/', part)
  app.onError((error, c) => {
    log.error({ path: c.req.path, reason: inWords(error) }, 'could not answer')
    return c.json({ error: 'Something went wrong here.' }, 500)
  })
  return app
}

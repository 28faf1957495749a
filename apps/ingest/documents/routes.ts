// What describes the feed to programs. Every page of the web may read it.
import { Hono } from 'hono'
import { isSchemaName, messageSchemaOf } from '#shared/event/message-schema.ts'
import { openApi } from './openapi.ts'

const open = { 'access-control-allow-origin': '*', 'x-content-type-options': 'nosniff' }
const kept = { ...open, 'cache-control': 'max-age=300' }

/** Serves `/openapi.json` and `/schemas/<kind>.json`; `publicUrl` is where the service is known to be. */
export function documents(publicUrl: string | undefined): Hono {
  const app = new Hono()
  let whole: string | undefined
  app.get('/openapi.json', (c) => {
    whole ??= JSON.stringify(openApi(publicUrl))
    return c.body(whole, 200, { ...kept, 'content-type': 'application/json' })
  })
  app.get('/schemas/:file', (c) => {
    const name = /^(.*)\.json$/.exec(c.req.param('file'))?.[1] ?? ''
    if (!isSchemaName(name)) return c.json({ error: 'No kind of that name is published.' }, 404, open)
    return c.body(JSON.stringify(messageSchemaOf(name)), 200, { ...kept, 'content-type': 'application/schema+json' })
  })
  return app
}

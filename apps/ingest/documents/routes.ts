// What describes the feed to programs. Every page of the web may read it.
import { Hono } from 'hono'
import { isSchemaName, messageSchemaOf, type SchemaName } from '#shared/event/message-schema.ts'
import { unpublishedKind } from '#shared/event/privacy/kinds.ts'
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
    const name = schemaNameOf(/^(.*)\.json$/.exec(c.req.param('file'))?.[1] ?? '')
    if (name === undefined) return c.json({ error: 'No kind of that name is published.' }, 404, open)
    return c.body(JSON.stringify(messageSchemaOf(name)), 200, { ...kept, 'content-type': 'application/schema+json' })
  })
  return app
}

// A kind in another spelling has no schema of its own.
function schemaNameOf(kind: string): SchemaName | undefined {
  if (isSchemaName(kind)) return kind
  return unpublishedKind({ object_kind: kind }) === undefined ? 'message' : undefined
}

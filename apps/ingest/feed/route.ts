// `GET /sse/`: opens a subscriber's stream, keeps it alive, and ends it cleanly at the stop. Written straight to Node's
// response: such an answer has only the headers it sets itself.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { Gauge } from 'prom-client'
import { inWords } from '#shared/errors.ts'
import type { Log } from '#shared/log.ts'
import type { Registry } from '#shared/metrics.ts'
import { isCursor, type Relay } from '#shared/relay.ts'
import { serve } from './subscriber.ts'
import type { Tail } from './tail.ts'

const headers: OutgoingHttpHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'access-control-allow-origin': '*',
}
const preflight = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'Last-Event-ID, Cache-Control',
  'access-control-max-age': '86400',
}
export const heartbeatMs = 15_000
const reconnectMs = 3000
const spreadMs = 10_000

type Parts = { tail: Tail; history: Relay; signal: AbortSignal; log: Log; metrics: Registry; heartbeat?: number }

/**
 * The handler of `/sse/`. A comment goes out every `heartbeat` ms. When `signal` aborts, every stream is ended, with
 * reconnect times spread over ten seconds.
 */
export function feedRoute({ tail, history, signal, log, metrics, heartbeat = heartbeatMs }: Parts) {
  const open = new Set<ServerResponse>()
  new Gauge({
    name: 'gitlab_webhooks_feed_subscribers',
    help: 'Open streams of the feed.',
    registers: [metrics],
    collect() {
      this.set(open.size)
    },
  })

  const beat = setInterval(() => {
    for (const response of open) if (!response.writableNeedDrain) response.write(':\n\n')
  }, heartbeat)
  signal.addEventListener('abort', () => {
    clearInterval(beat)
    for (const response of open) response.end(goodbye())
  })

  return function feed(c: Context<{ Bindings: HttpBindings }>) {
    const { method } = c.req
    if (method === 'OPTIONS') return c.body(null, 204, preflight)
    if (method !== 'GET' && method !== 'HEAD') return c.json({ error: 'Only GET is taken here.' }, 405, { allow: 'GET, HEAD, OPTIONS' })

    const from = c.req.header('last-event-id') || c.req.query('last_event_id')
    if (from !== undefined && !isCursor(from)) {
      return c.json({ error: 'last_event_id: expected a cursor, as the feed gives them in id:' }, 400, {
        'access-control-allow-origin': '*',
      })
    }

    const { outgoing } = c.env
    const response = outgoing as ServerResponse
    response.writeHead(200, headers)
    if (method === 'HEAD') response.end()
    else if (signal.aborted) response.end(goodbye())
    else void stream(response, from)
    return RESPONSE_ALREADY_SENT
  }

  async function stream(response: ServerResponse, from: string | undefined) {
    response.socket?.setNoDelay(true)
    open.add(response)
    response.on('close', () => open.delete(response))
    response.write(`retry: ${reconnectMs}\n:\n\n`)
    try {
      await serve({ response, from, tail, history })
    } catch (error) {
      log.warn({ reason: inWords(error) }, 'stream broke off')
      response.destroy()
    }
  }
}

function goodbye(): string {
  return `retry: ${1000 + Math.floor(Math.random() * spreadMs)}\n\n`
}

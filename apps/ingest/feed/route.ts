// `GET /sse/`: opens a subscriber's stream, keeps it alive, and ends it cleanly at the stop. Written straight to Node's
// response: such an answer has only the headers it sets itself.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { endWithOther } from '#shared/process/connections.ts'
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'
import { clientAddress } from '../client-address.ts'
import { finiteHeaders, full, streamHeaders } from './answers.ts'
import { type Asked, askedOf } from './asked.ts'
import { openAudience } from './audience.ts'
import { catcherUp } from './catch-up.ts'
import { openConnectionLimit } from './connection-limit.ts'
import type { Filter } from './filter.ts'
import { openFilters } from './filters.ts'
import { type Form, formOf } from './form.ts'
import { openGzip } from './gzip.ts'
import type { Hidden } from './hidden.ts'
import type { History } from './history.ts'
import { type FeedMetrics, watch } from './metrics.ts'
import { impatientWith } from './patience.ts'
import { type InSlice, openSlices } from './slices.ts'
import { beat, put, type Subscriber, subscriberOf } from './subscriber.ts'
import type { Tail } from './tail.ts'

export const heartbeatMs = 15_000
const reconnectMs = 3000
const spreadMs = 10_000
const lookMs = 1000

/** `patienceMs` is for how long a reader may take nothing before it is let go. */
export type FeedLimits = { connections: number; connectionsPerAddress: number; readerBytes: number; patienceMs: number }

type Parts = {
  tail: Tail
  history: History
  limits: FeedLimits
  signal: AbortSignal
  log: Log
  metrics: Registry
  measures: FeedMetrics
  everyMs?: number
  addressOf?: (request: IncomingMessage) => string
  /** The feed's share of the event loop, where others have a part of it. */
  inSlice?: InSlice
  /** Without it nothing is hidden. */
  hidden?: Hidden | undefined
}

/**
 * The handler of `/sse/`. A comment goes out every `everyMs`. When `signal` aborts, every stream without an
 * end of its own is ended, with reconnect times spread over ten seconds.
 */
export function feedRoute({
  tail,
  history,
  limits,
  signal,
  log,
  metrics,
  measures,
  hidden,
  everyMs = heartbeatMs,
  inSlice = openSlices(),
  addressOf = clientAddress(),
}: Parts) {
  const open = new Set<Subscriber>()
  const connections = openConnectionLimit({ most: limits.connections, mostPerAddress: limits.connectionsPerAddress })
  const { readerBytes, patienceMs } = limits
  const filters = openFilters()
  const catchUp = catcherUp({ tail, history, readerBytes, inSlice, log, measures, hidden })
  const audience = openAudience({ tail, catchUp, readerBytes, measures })
  watch(metrics, 'subscribers', 'Open streams of the feed.', () => open.size)
  watch(metrics, 'filter_characters', 'Characters of all filters that open streams have.', filters.characters)
  watch(metrics, 'lag_seconds', 'How far the slowest reader is behind.', () => audience.lag() / 1000)

  const beating = setInterval(() => open.forEach(beat), everyMs)
  const looking = setInterval(letGo, Math.min(lookMs, patienceMs / 4))
  signal.addEventListener('abort', () => {
    clearInterval(beating)
    clearInterval(looking)
    // An answer that has an end goes on to there. The stop of the listener waits for it, and breaks it off when that takes too long.
    for (const { response, form, bound } of open) if (!bound) response.end(goodbye(form))
  })

  function letGo(): void {
    for (const [subscriber, reason] of impatientWith(open, patienceMs, Date.now())) {
      log.info({ cursor: subscriber.cursor, reason }, 'let go of a reader')
      measures.letGo.inc()
      subscriber.response.destroy()
    }
  }

  return function feed(c: Context<{ Bindings: HttpBindings }>) {
    const asked = askedOf(c, measures)
    if (asked instanceof Response) return asked
    const { question, type } = asked
    const { incoming, outgoing } = c.env
    // The types allow for HTTP/2, which this listener does not speak.
    const response = outgoing as ServerResponse
    if (signal.aborted && question.end) return full(c)
    if (signal.aborted) response.writeHead(200, streamHeaders(type)).end(goodbye(formOf(type)))
    else {
      const slot = connections.take(addressOf(incoming))
      const filter = typeof slot === 'string' ? undefined : filters.take(question.wish)
      if (typeof slot === 'string' || filter === undefined) {
        if (typeof slot !== 'string') slot()
        measures.refused.inc({ reason: typeof slot === 'string' ? slot : 'filters' })
        return full(c)
      }
      start(response, asked, filter, slot)
    }
    return RESPONSE_ALREADY_SENT
  }

  function start(response: ServerResponse, asked: Asked, live: Filter, leave: () => void): void {
    const { question, type, isCompressed } = asked
    const form = formOf(type)
    const subscriber = subscriberOf({ response, question, form, live, gzip: isCompressed ? openGzip() : undefined })
    open.add(subscriber)
    response.on('close', () => {
      open.delete(subscriber)
      audience.remove(subscriber)
      filters.giveBack(live)
      leave()
    })
    response.socket?.setNoDelay(true)
    if (question.end) response.writeHead(200, finiteHeaders(asked)).flushHeaders()
    else {
      // Without chunks a message is the same bytes for all, and the close of the connection is the end (RFC 9112, 6.3).
      response.removeHeader('transfer-encoding')
      response.writeHead(200, { ...streamHeaders(type), connection: 'close' })
      endWithOther(response.req.socket)
    }
    const retry = form.retry(reconnectMs)
    // Bytes, since Node joins a text to the head: that would then be kept in its many parts for as long as the answer lasts.
    if (retry !== '' || !question.end) put(subscriber, Buffer.from(retry + form.beat))
    audience.add(subscriber)
  }
}

function goodbye({ retry }: Form): string {
  const told = retry(1000 + Math.floor(Math.random() * spreadMs))
  return told === '' ? '' : `${told}\n`
}

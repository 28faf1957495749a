// How long it takes from a hook that is sent to its message on the feed, through the whole service: ingest, Redis, the
// worker with its journal in MariaDB, Redis again, and a subscriber's connection. Hooks come at a steady rate.
//   node test/bench/latency.ts [--short] [--seconds 20]
import { once } from 'node:events'
import { Agent, get, type IncomingMessage, request } from 'node:http'
import { parseArgs } from 'node:util'
import { createParser } from 'eventsource-parser'
import { z } from 'zod'
import type { Process } from '../support/service.ts'
import { sourceToken } from '../support/service.ts'
import { openStage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { pushBody } from './bodies.ts'
import { machine, percentile, table } from './table.ts'

const { values } = parseArgs({ options: { short: { type: 'boolean', default: false }, seconds: { type: 'string' } } })
const seconds = Number(values.seconds ?? (values.short ? 0.5 : 20))
const rates = [20, 200]
const bytes = 5000
const body = pushBody(bytes)
const messageSchema = z.object({ meta: z.object({ id: z.string() }) })

/** When each delivery was sent, answered and seen on the feed, in ms. */
type Times = { sent: number; answered?: number; seen?: number }

const stage = await openStage({ SINKS_ENABLED: 'sse' })
const agent = new Agent({ keepAlive: true })
try {
  const [ingest] = await Promise.all([stage.start('ingest'), stage.start('worker')])
  const deliveries = new Map<string, Times>()
  const feed = await follow(ingest, deliveries)
  stage.defer(() => feed.destroy())

  console.log(`${await machine(stage.redis)}; sender and reader on the same machine`)
  console.log(`From POST /hooks to GET /sse/, pushes of ${bytes} bytes, ${seconds} s at each rate\n`)
  await send(ingest, deliveries, 100, values.short ? 50 : 500)
  const rows = []
  for (const rate of rates) rows.push(rowOf(rate, await send(ingest, deliveries, rate, rate * seconds)))
  console.log(table(['hooks/s', 'hooks', '202 p50 ms', 'p95', 'p99', 'feed p50 ms', 'p95', 'p99', 'longest'], rows))
} finally {
  agent.destroy()
  await stage.close()
}

/** Notes when each delivery's message comes. */
async function follow(ingest: Process, deliveries: Map<string, Times>): Promise<IncomingMessage> {
  const [response]: IncomingMessage[] = await once(get(`http://127.0.0.1:${ingest.port()}/sse/`), 'response')
  if (!response) throw new Error('The feed does not answer.')
  const parser = createParser({
    onEvent({ data }) {
      const seen = performance.now()
      const times = deliveries.get(messageSchema.parse(JSON.parse(data)).meta.id)
      if (times) times.seen ??= seen
    },
  })
  response.setEncoding('utf8').on('data', (text: string) => parser.feed(text))
  response.on('error', () => undefined) // it breaks off when we leave
  return response
}

/** Sends `count` hooks, `rate` a second, and waits until all have been seen. */
async function send(ingest: Process, deliveries: Map<string, Times>, rate: number, count: number): Promise<Times[]> {
  const first = deliveries.size
  const started = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * rate))
      while (deliveries.size - first < due) post(ingest, deliveries)
      if (due < count) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  const these = [...deliveries.values()].slice(first)
  await until(() => these.every(({ seen, answered }) => seen !== undefined && answered !== undefined), 'every hook is on the feed')
  return these
}

function post(ingest: Process, deliveries: Map<string, Times>): void {
  const id = `latency-${deliveries.size}`
  const headers = { 'content-type': 'application/json', 'x-gitlab-event': 'System Hook', 'x-gitlab-token': sourceToken }
  const times: Times = { sent: performance.now() }
  deliveries.set(id, times)
  request({ agent, port: ingest.port(), path: '/hooks', method: 'POST', headers: { ...headers, 'idempotency-key': id } }, (response) => {
    if (response.statusCode !== 202) throw new Error(`POST /hooks answered ${response.statusCode}.`)
    times.answered = performance.now()
    response.resume()
  }).end(body)
}

function rowOf(rate: number, times: Times[]): string[] {
  const answers = times.map(({ sent, answered = Number.NaN }) => answered - sent)
  const messages = times.map(({ sent, seen = Number.NaN }) => seen - sent)
  const shown = (list: number[], percents: number[]) => percents.map((percent) => percentile(list, percent).toFixed(1))
  return [String(rate), String(times.length), ...shown(answers, [50, 95, 99]), ...shown(messages, [50, 95, 99, 100])]
}

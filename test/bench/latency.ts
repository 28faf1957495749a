// How long it takes from a hook that is sent to its message on the feed, through the whole service: ingest, Redis, the
// worker with its journal in MariaDB, Redis again, and a subscriber's connection. Hooks come at a steady rate, while that
// subscriber is alone, and while many others read along.
//   node test/bench/latency.ts [--short] [--subscribers 1000] [--rounds 3] [--seconds 20]
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
import { gather } from './crowd.ts'
import { cpuOf, needConnections } from './processes.ts'
import { machine, median, percentile, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, seconds: text, rounds: text, subscribers: text },
})
const seconds = Number(values.seconds ?? (values.short ? 0.5 : 20))
const rounds = Number(values.rounds ?? (values.short ? 1 : 3))
const subscribers = Number(values.subscribers ?? (values.short ? 5 : 1000))
const rates = [20, 200]
const bytes = 5000
const body = pushBody(bytes)
const messageSchema = z.object({ meta: z.object({ id: z.string() }) })

/** When each delivery was sent, answered and seen on the feed, in ms. */
type Times = { sent: number; answered?: number; seen?: number }

await needConnections(subscribers)
const stage = await openStage({ SINKS_ENABLED: 'sse' })
const agent = new Agent({ keepAlive: true })
try {
  const [ingest, worker] = await Promise.all([stage.start('ingest'), stage.start('worker')])
  const deliveries = new Map<string, Times>()
  const feed = await follow(ingest, deliveries)
  stage.defer(() => feed.destroy())

  console.log(`${await machine(stage.redis)}; sender and readers on the same machine`)
  console.log(`From POST /hooks to GET /sse/, pushes of ${bytes} bytes; medians of ${rounds} rounds of ${seconds} s at each rate\n`)
  await send(ingest, deliveries, 100, values.short ? 50 : 500)
  const cases = rates.flatMap((rate) => [0, subscribers].map((others) => ({ rate, others, found: [] as number[][] })))
  for (let round = 0; round < rounds; round += 1)
    for (const { rate, others, found } of round % 2 === 0 ? cases : cases.toReversed()) {
      const leave = await gather({ port: ingest.port(), path: '/sse/', readers: others, stalled: false })
      await until(async () => (await readersOf(ingest)) === others + 1, 'all read along, and nobody else')
      const cpus = await Promise.all([ingest, worker].map((one) => cpuOf(one.pid())))
      const times = await send(ingest, deliveries, rate, rate * seconds)
      const used = await Promise.all([ingest, worker].map(async (one, index) => (await cpuOf(one.pid())) - (cpus[index] ?? 0)))
      found.push([...figuresOf(times), ...used.map((ms) => ms / times.length)])
      await leave()
    }
  const rows = cases.map(({ rate, others, found }) => [String(rate), String(others + 1), ...medians(found)])
  const times = ['202 p50 ms', 'p95', 'p99', 'feed p50 ms', 'p95', 'p99', 'longest']
  console.log(table(['hooks/s', 'subscribers', ...times, 'CPU ms, ingest', 'worker'], rows))
  console.log('\nCPU is for each hook.')
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

async function readersOf(ingest: Process): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${ingest.port()}/metrics`)).text()
  return Number(/^gitlab_webhooks_feed_subscribers (\d+)/m.exec(text)?.[1])
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
  await until(() => these.every(({ seen, answered }) => seen !== undefined && answered !== undefined), 'every hook is on the feed', 300_000)
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

function figuresOf(times: Times[]): number[] {
  const answers = times.map(({ sent, answered = Number.NaN }) => answered - sent)
  const messages = times.map(({ sent, seen = Number.NaN }) => seen - sent)
  const shown = (list: number[], percents: number[]) => percents.map((percent) => percentile(list, percent))
  return [...shown(answers, [50, 95, 99]), ...shown(messages, [50, 95, 99, 100])]
}

/** The median of each figure over the rounds. */
function medians(found: number[][]): string[] {
  return (found[0] ?? []).map((_, figure) => median(found.map((figures) => figures[figure] ?? Number.NaN)).toFixed(1))
}

// How long it takes from a hook that is sent to its message on the feed, through the whole service: ingest, Redis, the
// worker with its journal in MariaDB, Redis again, and all readers' connections; beside plain node:http that puts what it is
// sent into the log of the feed and writes it to its readers, and does nothing else: it checks, queues and keeps nothing.
//   node test/bench/latency.ts [--short] [--subscribers 1000] [--rounds 5] [--seconds 10]
import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'
import { sourceToken } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { pushBody } from './bodies.ts'
import { type Result, startReaders } from './feed-readers.ts'
import { cpuOf, needConnections } from './processes.ts'
import { startProgram } from './programs.ts'
import { machine, median, percentile, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, seconds: text, rounds: text, subscribers: text },
})
const seconds = Number(values.seconds ?? (values.short ? 0.5 : 10))
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const subscribers = Number(values.subscribers ?? (values.short ? 5 : 1000))
const rates = values.short ? [50] : [20, 200]
const bytes = 5000
const body = pushBody(bytes)
let sent = 0

type Contestant = { name: string; port: number; path: string; pids: number[] }

await needConnections(subscribers)
const stage = await openStage({ SINKS_ENABLED: 'sse' })
const agent = new Agent({ keepAlive: true })
try {
  const contestants = [await nodeHttp(stage), await service(stage)]
  console.log(`${await machine(stage.redis)}; sender and readers on the same machine`)
  console.log(`From POST /hooks to all readers, pushes of ${bytes} bytes; medians of ${rounds} interleaved rounds of ${seconds} s\n`)
  for (const contestant of values.short ? [] : contestants) await play(contestant, { rate: 100, readers: 1, count: 1000 })
  const cases = rates.flatMap((rate) =>
    [1, subscribers].flatMap((readers) => contestants.map((contestant) => ({ contestant, rate, readers, found: [] as number[][] }))),
  )
  for (let round = 0; round < rounds; round += 1)
    for (const { contestant, rate, readers, found } of round % 2 === 0 ? cases : cases.toReversed())
      found.push(await play(contestant, { rate, readers, count: rate * seconds }))
  const rows = cases.map(({ contestant, rate, readers, found }) => [String(rate), String(readers), contestant.name, ...medians(found)])
  const figures = ['202 p50 ms', 'p99', 'feed p50 ms', 'p95', 'p99', 'longest', 'CPU ms']
  console.log(table(['hooks/s', 'readers', 'who', ...figures], rows))
  console.log('\nCPU is for each hook; of the service, that of ingest and worker.')
} finally {
  agent.destroy()
  await stage.close()
}

async function service({ start }: Stage): Promise<Contestant> {
  const [ingest, worker] = await Promise.all([start('ingest'), start('worker')])
  return { name: 'the service', port: ingest.port(), path: '/sse/', pids: [ingest.pid(), worker.pid()] }
}

async function nodeHttp({ redisUrl, defer }: Stage): Promise<Contestant> {
  const { pid, port, stop } = await startProgram('feed-baseline', { REDIS_URL: redisUrl, REDIS_PREFIX: 'bench-joined', WRITES: 'joined' })
  defer(stop)
  return { name: 'node:http', port, path: '/', pids: [pid] }
}

/** Sends `count` hooks, `rate` a second, and waits until all readers have them. */
async function play({ port, path, pids }: Contestant, { rate, readers, count }: { rate: number; readers: number; count: number }) {
  const reading = await startReaders({ port, path, subscribers: readers, messages: count })
  try {
    const before = await cpuOf(...pids)
    const answers = await send(port, rate, count)
    const result = await reading.result
    return [...figuresOf(answers, result), ((await cpuOf(...pids)) - before) / count]
  } finally {
    await reading.stop()
  }
}

/** How long each answer took, in ms. */
async function send(port: number, rate: number, count: number): Promise<number[]> {
  const answers: Array<Promise<number>> = []
  const started = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * rate))
      while (answers.length < due) answers.push(post(port))
      if (due < count) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  return await Promise.all(answers)
}

function post(port: number): Promise<number> {
  const started = performance.now()
  const stamped = `{"sent":"${(performance.timeOrigin + started).toFixed(3)}~",${body.slice(1)}`
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(stamped),
    'x-gitlab-event': 'System Hook',
    'x-gitlab-token': sourceToken,
    'idempotency-key': `latency-${sent++}`,
  }
  return new Promise((resolve, reject) => {
    const asking = request({ agent, port, path: '/hooks', method: 'POST', headers }, (response) => {
      if (response.statusCode === 202) resolve(performance.now() - started)
      else reject(new Error(`POST /hooks answered ${response.statusCode}.`))
      response.resume()
    })
    asking.on('error', reject).end(stamped)
  })
}

function figuresOf(answers: number[], { p50, p95, p99, longest }: Result): number[] {
  return [percentile(answers, 50), percentile(answers, 99), p50, p95, p99, longest]
}

/** The median of each figure over the rounds. */
function medians(found: number[][]): string[] {
  return (found[0] ?? []).map((_, figure) => median(found.map((figures) => figures[figure] ?? Number.NaN)).toFixed(1))
}

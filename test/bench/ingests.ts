// How many deliveries a second several ingest processes take together, over one Redis, beside one: each has its share of
// the connections, as behind a balancer. They know nothing of each other, so what they share is the machine.
//   node test/bench/ingests.ts [--short] [--rounds 5] [--seconds 2] [--connections 64]
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { startRedis } from '../support/servers.ts'
import { type Process, sourceToken, startReady } from '../support/service.ts'
import { type Load, load } from './load.ts'
import { cpuOf } from './processes.ts'
import { machine, median, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { short: { type: 'boolean', default: false }, rounds: text, seconds: text, connections: text } })
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const seconds = Number(values.seconds ?? (values.short ? 0.1 : 2))
const connections = Number(values.connections ?? 64)
const counts = values.short ? [1, 2] : [1, 2, 4]
const bytes = 5000

type Figures = { rate: number; p99: number; cpu: number; redisCpu: number }

const server = await startRedis()
const redis = new Redis(server.url)
const running: Process[] = []
try {
  for (let number = 0; number < Math.max(...counts); number += 1) running.push(await start(number))
  console.log(`${await machine(redis)}; load from the same machine`)
  console.log(
    `POST /hooks, bodies of ${bytes} bytes, ${connections} connections in all; medians of ${rounds} interleaved rounds of ${seconds} s\n`,
  )
  for (const ingest of values.short ? [] : running) await measure([ingest])
  const found = counts.map((): Figures[] => [])
  for (let round = 0; round < rounds; round += 1)
    for (const [index, count] of counts.entries()) found[index]?.push(await measure(running.slice(0, count)))
  const of = (index: number, figure: keyof Figures) => median((found[index] ?? []).map((figures) => figures[figure]))
  const rows = counts.map((count, index) => [
    String(count),
    of(index, 'rate').toFixed(0),
    (of(index, 'rate') / of(0, 'rate')).toFixed(2),
    of(index, 'p99').toFixed(1),
    (of(index, 'cpu') * 1000).toFixed(0),
    (of(index, 'redisCpu') * 1000).toFixed(0),
  ])
  console.log(table(['processes', 'requests/s', 'of one', 'p99 ms', 'CPU µs', 'Redis CPU µs'], rows))
  console.log('\nCPU is for each request, that of all processes together.')
} finally {
  await Promise.all(running.map((ingest) => ingest.stop()))
  redis.disconnect()
  await server.stop()
}

function start(number: number): Promise<Process> {
  return startReady('ingest', {
    SOURCE_TOKEN: sourceToken,
    HOST: '127.0.0.1',
    PORT: '0',
    REDIS_URL: server.url,
    SPOOL_DIR: join(server.directory, `spool-${number}`),
  })
}

async function measure(ingests: Process[]): Promise<Figures> {
  const redisPid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
  const pids = ingests.map((ingest) => ingest.pid())
  const before = [await cpuOf(...pids), await cpuOf(redisPid)] as const
  const plan = { warmUp: values.short ? 0.05 : 0.5, seconds, bytes, connections: Math.max(1, Math.round(connections / ingests.length)) }
  const loads: Load[] = await Promise.all(ingests.map((ingest) => load({ ...plan, url: `http://127.0.0.1:${ingest.port()}` })))
  const answers = loads.reduce((sum, one) => sum + one.answers, 0)
  const used = { cpu: ((await cpuOf(...pids)) - before[0]) / answers, redisCpu: ((await cpuOf(redisPid)) - before[1]) / answers }
  await redis.flushall()
  return { rate: loads.reduce((sum, { rate }) => sum + rate, 0), p99: Math.max(...loads.map(({ p99 }) => p99)), ...used }
}

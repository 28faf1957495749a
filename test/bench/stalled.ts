// What readers cost that stop reading while much is broadcast: how much memory the process grows, and how long messages
// take to the other readers, beside the same without them; the service, and plain node:http that writes all the same, both
// with the limits of memory that the service is shipped with.
//   node test/bench/stalled.ts [--short] [--stalled 20] [--readers 20] [--megabytes 20,100] [--rounds 5]
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { startRedis } from '../support/servers.ts'
import { broadcast } from './broadcast.ts'
import { nodeHttp, service } from './feed-contestants.ts'
import { startReaders } from './feed-readers.ts'
import { watchGrowth } from './processes.ts'
import { shippedFlags } from './shipped-flags.ts'
import { startStalled } from './stalled-readers.ts'
import { machine, median, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, stalled: text, readers: text, megabytes: text, rounds: text },
})
const stalled = Number(values.stalled ?? 20)
const readers = Number(values.readers ?? 20)
const sizes = (values.megabytes ?? (values.short ? '0.2' : '20,100')).split(',').map(Number)
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const bytes = 20_000
const rate = 250 // 5 MB a second

type Figures = { grown: number; p50: number; p99: number }

const server = await startRedis()
const redis = new Redis(server.url)
const place = { url: server.url, redis }
const contestants = [() => nodeHttp(place, 'joined', shippedFlags), () => service(place, shippedFlags)]
try {
  console.log(`${await machine(redis)}; readers on the same machine`)
  console.log(
    `GET /sse/, ${readers} readers, messages of ${bytes} bytes, ${rate}/s; each process fresh; medians of ${rounds} interleaved rounds\n`,
  )
  const rows = []
  for (const megabytes of sizes) rows.push(...(await compare(megabytes)))
  console.log(table(['MB', 'who', 'stalled', 'grown MiB', 'p50 ms', 'p99 ms', 'p99 ratio'], rows))
  console.log('\nThe ratio is to the same without stalled readers, the median of the rounds’ ratios.')
} finally {
  redis.disconnect()
  await server.stop()
}

async function compare(megabytes: number): Promise<string[][]> {
  const cases = contestants.flatMap((start) => [0, stalled].map((count) => ({ start, count, name: '', found: [] as Figures[] })))
  for (let round = 0; round < rounds; round += 1)
    for (const one of round % 2 === 0 ? cases : cases.toReversed()) {
      const contestant = await one.start()
      one.name = contestant.name
      try {
        one.found.push(await play(contestant, one.count, Math.ceil((megabytes * 1e6) / bytes)))
      } finally {
        await contestant.stop()
        await redis.flushall()
      }
    }
  return cases.map(({ name, count, found }, index) => {
    const without = cases[count === 0 ? index : index - 1]?.found
    const of = (figure: keyof Figures) => median(found.map((figures) => figures[figure]))
    const ratio = median(found.map(({ p99 }, round) => p99 / (without?.[round]?.p99 ?? Number.NaN)))
    return [String(megabytes), name, String(count), of('grown').toFixed(1), of('p50').toFixed(1), of('p99').toFixed(1), ratio.toFixed(2)]
  })
}

async function play(contestant: Awaited<ReturnType<typeof service>>, count: number, messages: number): Promise<Figures> {
  const { port, path, publish } = contestant
  const [pid = 0] = contestant.pids
  const leave = await startStalled({ port, path, readers: count })
  const going = await startReaders({ port, path, subscribers: readers, messages })
  try {
    const grown = await watchGrowth(pid)
    await broadcast(publish, { count: messages, bytes, rate })
    const { p50, p99 } = await going.result
    return { grown: (await grown()) / 2 ** 20, p50, p99 }
  } finally {
    await going.stop()
    await leave()
  }
}

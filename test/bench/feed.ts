// How many messages a second the feed carries to many readers, how long they take, and what a reader costs, beside plain
// node:http and nchan: in turns, so that whatever else this machine does hits all of them alike.
//   node test/bench/feed.ts [--short] [--subscribers 1000] [--rounds 5] [--messages 300] [--seconds 5] [--rate 20] [--procfile]
// With --procfile Node.js runs with the flags of the Procfile. Without them V8 may double its young generation just while the
// readers come: then each of 1,000 seems to take 15 KB more.
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { startRedis } from '../support/servers.ts'
import { broadcast } from './broadcast.ts'
import { type Contestant, nchan, nodeHttp, service } from './feed-contestants.ts'
import { startReaders } from './feed-readers.ts'
import { cpuOf, memoryOf, needConnections } from './processes.ts'
import { shippedFlags } from './shipped-flags.ts'
import { machine, median, table } from './table.ts'

const text = { type: 'string' } as const
const choice = { type: 'boolean', default: false } as const
const { values } = parseArgs({
  options: { short: choice, procfile: choice, subscribers: text, rounds: text, messages: text, seconds: text, rate: text },
})
const subscribers = Number(values.subscribers ?? (values.short ? 20 : 1000))
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const messages = Number(values.messages ?? (values.short ? 20 : 300))
const seconds = Number(values.seconds ?? (values.short ? 0.2 : 5))
const rate = Number(values.rate ?? 20)
const bytes = 2000
const flags = values.procfile ? shippedFlags : []

type Figures = { rate: number; cpu: number; p50: number; p99: number }

await needConnections(subscribers)
const server = await startRedis()
const redis = new Redis(server.url)
const place = { url: server.url, redis }
const others = [...(await nchan(1)), ...(await nchan(2))]
const contestants = [
  await nodeHttp(place, 'joined', flags),
  await service(place, flags),
  ...(values.short ? [] : [await nodeHttp(place, 'each', flags)]),
  ...others,
]
try {
  console.log(`${await machine(redis)}; readers on the same machine`)
  console.log(`GET /sse/, ${subscribers} readers, messages of ${bytes} bytes; medians of ${rounds} interleaved rounds`)
  console.log(others.length > 0 ? '' : 'nginx with libnginx-mod-nchan is not installed, and so not compared\n')
  const memory: string[] = []
  for (const contestant of contestants) memory.push(((await idle(contestant)) / 1024).toFixed(1))
  const rows = []
  for (const pace of ['steady', 'fast'] as const) rows.push(...(await compare(pace, memory)))
  console.log(table(['messages', 'who', 'delivered/s', 'ratio', 'CPU ms/1000', 'ratio', 'p50 ms', 'p99 ms', 'ratio', 'KB/reader'], rows))
  console.log('\nThe ratios are to node:http, joined, medians of the rounds’ ratios. CPU is for 1,000 delivered messages.')
} finally {
  for (const { stop } of contestants) await stop()
  redis.disconnect()
  await server.stop()
}

async function compare(pace: 'steady' | 'fast', memory: string[]): Promise<string[][]> {
  const results = contestants.map((): Figures[] => [])
  if (!values.short) for (const contestant of contestants) await play(contestant, pace)
  for (let round = 0; round < rounds; round++) {
    const order = [...contestants.entries()]
    for (const [index, contestant] of round % 2 === 0 ? order : order.reverse()) results[index]?.push(await play(contestant, pace))
  }
  return contestants.map(({ name }, index) => {
    const of = (figure: keyof Figures) => median((results[index] ?? []).map((one) => one[figure]))
    const ratio = (figure: keyof Figures) =>
      median((results[index] ?? []).map((one, turn) => one[figure] / (results[0]?.[turn]?.[figure] ?? Number.NaN))).toFixed(2)
    const speed = [of('rate').toFixed(0), ratio('rate'), of('cpu').toFixed(2), ratio('cpu')]
    const label = pace === 'steady' ? `${rate}/s` : 'as fast as possible'
    return [label, name, ...speed, of('p50').toFixed(1), of('p99').toFixed(1), ratio('p99'), memory[index] ?? '']
  })
}

/** What a reader costs that reads along while nothing happens, in bytes; of a process that has had no readers before. */
async function idle({ port, path, pids }: Contestant): Promise<number> {
  const empty = await memoryOf(...pids)
  const readers = await startReaders({ port, path, subscribers, messages: 1 })
  const cost = ((await memoryOf(...pids)) - empty) / subscribers
  await readers.stop()
  return cost
}

async function play(contestant: Contestant, pace: 'steady' | 'fast'): Promise<Figures> {
  const { port, path, pids } = contestant
  const count = pace === 'steady' ? Math.ceil(rate * seconds) : messages
  const readers = await startReaders({ port, path, subscribers, messages: count })
  try {
    const cpu = await cpuOf(...pids)
    await broadcast(contestant.publish, { count, bytes, ...(pace === 'steady' && { rate }) })
    const { delivered, first, last, p50, p99 } = await readers.result
    return { rate: (delivered / (last - first)) * 1000, cpu: ((await cpuOf(...pids)) - cpu) / (delivered / 1000), p50, p99 }
  } finally {
    await readers.stop()
  }
}

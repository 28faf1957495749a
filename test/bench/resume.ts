// What it takes to resume after many missed messages: how long until the first of them is there and until the last, and
// how much the process grows, with the flags that the service is shipped with. From Redis, and from the journal,
// beside plain node:http that has the bytes in memory, and one that selects rows of the journal, uncompresses and writes them.
//   node test/bench/resume.ts [--short] [--redis 1000,10000,100000] [--journal 1000,10000,100000,1000000] [--rounds 5]
// --anew: the journal holds bodies only, and messages must be made of them.
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { openDatabase } from '#shared/journal/database.ts'
import { startRedis } from '../support/servers.ts'
import { sourceToken, startReady } from '../support/service.ts'
import { makeDatabase } from '../support/stage.ts'
import { missInJournal, missInRedis, type PlaceBefore } from './missed.ts'
import { cpuOf, watchGrowth } from './processes.ts'
import { startProgram } from './programs.ts'
import { resume } from './resume-reader.ts'
import { shippedFlags } from './shipped-flags.ts'
import { machine, median, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    redis: text,
    journal: text,
    rounds: text,
    anew: { type: 'boolean', default: false },
  },
})
const inRedis = sizesOf(values.redis ?? (values.short ? '100' : '1000,10000,100000'))
const inJournal = sizesOf(values.journal ?? (values.short ? '100' : '1000,10000,100000,1000000'))
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const warmUp = values.short ? 10 : 1000

type Running = { port: number; pid: number; stop: () => Promise<unknown> }
type Source = {
  name: string
  sizes: number[]
  start: () => Promise<Running>
  missed: (messages: number) => { path: string; cursor: string }
}
type Figures = { first: number; last: number; rate: number; cpu: number; grown: number }

const server = await startRedis()
// The rows are there to be read; how they got there does not matter.
const releases: Array<() => unknown> = []
const storeUrl = await makeDatabase(
  (release) => void releases.unshift(release),
  ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0'],
)
const redis = new Redis(server.url)
const database = openDatabase(storeUrl)
try {
  console.log(`${await machine(redis)}; one reader, on the same machine`)
  console.log(`GET /sse/ with Last-Event-ID, messages of 2 KB; each process fresh; medians of ${rounds} interleaved rounds\n`)
  const place = { url: storeUrl, database, redis, prefix: 'journal' }
  const missedInJournal = await missInJournal(place, Math.max(...inJournal), !values.anew)
  const sources = [
    memory(),
    service('Redis', inRedis, await missInRedis({ redis, prefix: 'redis' }, Math.max(...inRedis)), { REDIS_PREFIX: 'redis' }),
    rows(missedInJournal),
    service('journal', inJournal, missedInJournal, { REDIS_PREFIX: 'journal', DATABASE_URL: storeUrl }),
  ]
  const measured = []
  for (const messages of new Set([...inRedis, ...inJournal].sort((a, b) => a - b))) measured.push(...(await compare(sources, messages)))
  console.log(table(['missed', 'from', 'first ms', 'last ms', 'messages/s', 'ratio', 'CPU µs', 'grown MiB'], measured))
  console.log('\nThe ratio is to node:http from memory, the median of the rounds’ ratios. CPU is for each message.')
} finally {
  await database.destroy()
  redis.disconnect()
  for (const release of releases) await release()
  await server.stop()
}

function sizesOf(list: string): number[] {
  return list.split(',').map(Number)
}

function memory(): Source {
  const start = () => startProgram('resume-baseline', {}, shippedFlags)
  return {
    name: 'node:http, memory',
    sizes: [...inRedis, ...inJournal],
    start,
    missed: (messages) => ({ path: `/${messages}`, cursor: '0-0' }),
  }
}

function rows(before: PlaceBefore): Source {
  return {
    name: 'node:http, rows',
    sizes: values.anew ? [] : inJournal,
    start: () => startProgram('resume-rows', { DATABASE_URL: storeUrl }, shippedFlags),
    missed: (messages) => ({ path: '/', cursor: before(messages) }),
  }
}

function service(name: string, sizes: number[], before: PlaceBefore, environment: Record<string, string>): Source {
  const common = { SOURCE_TOKEN: sourceToken, HOST: '127.0.0.1', PORT: '0', REDIS_URL: server.url, SPOOL_DIR: `${server.directory}/spool` }
  return {
    name: `the service, ${name}`,
    sizes,
    async start() {
      const ingest = await startReady('ingest', { ...common, ...environment }, shippedFlags)
      return { port: ingest.port(), pid: ingest.pid(), stop: ingest.kill }
    },
    missed: (messages) => ({ path: '/sse/', cursor: before(messages) }),
  }
}

async function compare(all: Source[], messages: number): Promise<string[][]> {
  const cases = all.filter(({ sizes }) => sizes.includes(messages)).map((source) => ({ source, found: [] as Figures[] }))
  for (let round = 0; round < rounds; round += 1)
    for (const { source, found } of round % 2 === 0 ? cases : cases.toReversed()) found.push(await play(source, messages))
  const [reference] = cases
  return cases.map(({ source, found }) => {
    const of = (figure: keyof Figures) => median(found.map((figures) => figures[figure]))
    const ratio = median(found.map(({ rate }, round) => rate / (reference?.found[round]?.rate ?? Number.NaN)))
    const times = [of('first').toFixed(1), of('last').toFixed(0), of('rate').toFixed(0), ratio.toFixed(2)]
    return [String(messages), source.name, ...times, of('cpu').toFixed(0), of('grown').toFixed(1)]
  })
}

async function play({ start, missed }: Source, messages: number): Promise<Figures> {
  const { port, pid, stop } = await start()
  try {
    await resume({ port, ...missed(warmUp), messages: warmUp })
    const [cpu, grown] = [await cpuOf(pid), await watchGrowth(pid)]
    const { first, last } = await resume({ port, ...missed(messages), messages })
    const used = (await cpuOf(pid)) - cpu
    return { first, last, rate: messages / (last / 1000), cpu: (used * 1000) / messages, grown: (await grown()) / 2 ** 20 }
  } finally {
    await stop()
  }
}

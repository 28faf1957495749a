// How many deliveries a second `POST /hooks` takes, and how long one waits for its answer, beside bare Hono and bare
// Hono with one `add`, and Debian's webhook where that is installed: all in the same run, in turns, so that whatever else
// this machine does hits all of them alike.
//   node test/bench/hooks.ts [--short] [--aof everysec|always] [--connections 1,32,256] [--rounds 5] [--seconds 1.5]
//     [--profile directory]
import { parseArgs } from 'node:util'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { bareHono, type Contestant, honoAndAdd, service } from './contestants.ts'
import { load } from './load.ts'
import { machine, median, table } from './table.ts'
import { debianWebhook } from './webhook.ts'

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    connections: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    aof: { type: 'string', default: 'everysec' },
    profile: { type: 'string' },
  },
})
const connectionCounts = (values.connections ?? (values.short ? '8' : '1,32,256')).split(',').map(Number)
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const seconds = Number(values.seconds ?? (values.short ? 0.1 : 1.5))
const warmUp = values.short ? 0.05 : 0.5
const bytes = 5000
const { aof } = values
if (aof !== 'everysec' && aof !== 'always') throw new Error(`--aof: expected everysec or always, and not ${aof}`)
const conditions = { aof, profiles: values.profile } as const

type Round = { rate: number; p50: number; p99: number; cpu: number; redisCpu: number; redisBytes: number }

const other = await debianWebhook()
const ours = await Promise.all([bareHono(), honoAndAdd(conditions), service(conditions)])
const contestants = other ? [...ours, other] : ours
try {
  await compare(contestants)
} finally {
  await Promise.all(contestants.map((contestant) => contestant.stop()))
}

async function compare(contestants: Contestant[]): Promise<void> {
  const redis = contestants.find((contestant) => contestant.redis)?.redis
  if (redis) console.log(`${await machine(redis)}; AOF ${await syncOf(redis)}; load from the same machine`)
  console.log(`POST /hooks, bodies of ${bytes} bytes; medians of ${rounds} interleaved rounds of ${seconds} s`)
  console.log(
    other ? 'webhook is without its command, and keeps nothing\n' : 'webhook is not installed (bin/setup webhook), and so not compared\n',
  )

  const rows: string[][] = []
  for (const connections of connectionCounts) {
    for (const contestant of contestants) if (!values.short) await measure(contestant, connections)
    const results = contestants.map((): Round[] => [])
    for (let round = 0; round < rounds; round += 1) {
      // Forwards and backwards in turn: what one leaves behind, such as a file to be written, hits its neighbour.
      const order = [...contestants.entries()]
      for (const [index, contestant] of round % 2 === 0 ? order : order.reverse())
        results[index]?.push(await measure(contestant, connections))
    }
    rows.push(...rowsOf(connections, contestants, results))
  }
  console.log(
    table(['connections', 'who', 'requests/s', 'ratio', 'p50 ms', 'p99 ms', 'p99 ratio', 'CPU µs', 'Redis CPU µs', 'Redis bytes'], rows),
  )
  console.log(`\nThe ratios are to Hono + add, medians of the rounds' ratios. CPU is for each request, bytes for each delivery that waits.`)
}

/** When it writes to its disk, as Redis itself says. */
async function syncOf(redis: Redis): Promise<string> {
  const [, sync = ''] = z.array(z.string()).parse(await redis.config('GET', 'appendfsync'))
  return sync
}

async function measure(contestant: Contestant, connections: number): Promise<Round> {
  const [cpu, redisCpu] = [await contestant.cpu(), await contestant.redisCpu()]
  const { rate, p50, p99, answers } = await load({ url: contestant.url, connections, warmUp, seconds, bytes })
  const used = { cpu: ((await contestant.cpu()) - cpu) / answers, redisCpu: ((await contestant.redisCpu()) - redisCpu) / answers }
  return { rate, p50, p99, ...used, redisBytes: await contestant.empty() }
}

function rowsOf(connections: number, contestants: Contestant[], results: Round[][]): string[][] {
  const [, reference = []] = results
  return contestants.map(({ name }, index) => {
    const rounds = results[index] ?? []
    const of = (figure: keyof Round) => median(rounds.map((round) => round[figure]))
    const ratio = (figure: keyof Round) => median(rounds.map((round, turn) => round[figure] / (reference[turn]?.[figure] ?? Number.NaN)))
    return [
      String(connections),
      name,
      of('rate').toFixed(0),
      ratio('rate').toFixed(2),
      of('p50').toFixed(2),
      of('p99').toFixed(2),
      ratio('p99').toFixed(2),
      of('cpu').toFixed(0),
      of('redisCpu') === 0 ? '–' : of('redisCpu').toFixed(0),
      of('redisBytes') === 0 ? '–' : of('redisBytes').toFixed(0),
    ]
  })
}

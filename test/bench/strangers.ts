// How long real deliveries wait for their 202 while strangers try to be in the way, one attack after another, beside the same
// without any. In turns, so that whatever else this machine does hits all of them alike.
//   node test/bench/strangers.ts [--short] [--attackers 1000] [--rounds 3] [--seconds 5] [--rate 50]
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { attack } from '../hostile/attack.ts'
import { attacks } from '../hostile/attacks.ts'
import { publisherOf } from '../support/relay.ts'
import type { Process } from '../support/service.ts'
import { openStage, post } from '../support/stage.ts'
import { pushBody } from './bodies.ts'
import { memoryOf } from './processes.ts'
import { shippedFlags } from './shipped-flags.ts'
import { machine, median, percentile, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, attackers: text, rounds: text, seconds: text, rate: text },
})
const attackers = Number(values.attackers ?? (values.short ? 20 : 1000))
const rounds = Number(values.rounds ?? (values.short ? 1 : 3))
const seconds = Number(values.seconds ?? (values.short ? 0.2 : 5))
const rate = Number(values.rate ?? 50)
const historyMessages = values.short ? 50 : 1600
const key = `whsec_${Buffer.from('a signing key of the bench').toString('base64')}`

const stage = await openStage({ SOURCE_SIGNING_KEY: key, FEED_CONNECTIONS_PER_ADDRESS: '2000' })
try {
  const body = pushBody(5000)
  await publisherOf(stage, 'history')(Array.from({ length: historyMessages }, () => ({ meta: { dt: new Date().toISOString() }, body })))
  const ingest = await stage.start('ingest', {}, shippedFlags)
  console.log(`${await machine(stage.redis)}; attackers on the same machine`)
  console.log(`POST /hooks of 5,000 bytes, ${rate}/s, beside about ${attackers} attackers; medians of ${rounds} rounds of ${seconds} s\n`)
  const cases = [undefined, ...attacks.slice(0, values.short ? 2 : undefined).map(({ name }) => name)].map((name) => ({
    name,
    found: [] as number[][],
  }))
  await measure(ingest, body)
  for (let round = 0; round < rounds; round++)
    for (const { name, found } of round % 2 === 0 ? cases : cases.toReversed()) found.push(await play(ingest, body, name))
  const rows = cases.map(({ name, found }) => [name ?? 'nobody', ...medians(found)])
  console.log(table(['attack', '202 p50 ms', 'p99', 'longest', 'MiB'], rows))
} finally {
  await stage.close()
}

async function play(ingest: Process, body: string, name: string | undefined): Promise<number[]> {
  const stop = name === undefined ? () => Promise.resolve() : await attack(ingest.port(), attackers, [name])
  await measure(ingest, body, seconds / 5) // until it has come to its full strength
  try {
    return [...(await measure(ingest, body)), (await memoryOf(ingest.pid())) / 1024 / 1024]
  } finally {
    await stop()
  }
}

/** p50, p99 and the longest time to the 202, in ms. */
async function measure(ingest: Process, body: string, forSeconds = seconds): Promise<number[]> {
  const answers: Array<Promise<number>> = []
  for (const end = performance.now() + forSeconds * 1000; performance.now() < end; await pause(1000 / rate)) answers.push(one(ingest, body))
  const times = await Promise.all(answers)
  return [percentile(times, 50), percentile(times, 99), Math.max(...times)]
}

async function one(ingest: Process, body: string): Promise<number> {
  const began = performance.now()
  const { status } = await post(ingest, body, { 'idempotency-key': `real-${began}` })
  if (status !== 202) throw new Error(`POST /hooks answered ${status}.`)
  return performance.now() - began
}

function medians(found: number[][]): string[] {
  return (found[0] ?? []).map((_, figure) => median(found.map((figures) => figures[figure] ?? Number.NaN)).toFixed(1))
}

// How much memory ingest and the worker take, with the flags that the Procfile sets: at rest, as fast as ingest takes
// hooks, and with the largest bodies. What counts is the resident set, looked at ten times a second.
//   node test/bench/memory.ts [--short] [--seconds 20]
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { parseArgs, promisify } from 'node:util'
import type { Process } from '../support/service.ts'
import { openStage } from '../support/stage.ts'
import { load } from './load.ts'
import { shippedFlags } from './shipped-flags.ts'
import { machine, table } from './table.ts'

const { values } = parseArgs({ options: { short: { type: 'boolean', default: false }, seconds: { type: 'string' } } })
const seconds = Number(values.seconds ?? (values.short ? 0.2 : 20))
const readers = values.short ? 5 : 100
const loads = [
  ['1 connection, 5 KB', 1, 5000],
  ['256 connections, 5 KB', 256, 5000],
  ['32 connections, 100 KB', 32, 100_000],
  ['1 connection, 24 MiB', 1, 24 * 2 ** 20],
] as const

const stage = await openStage()
try {
  const [ingest, worker] = await Promise.all([stage.start('ingest', {}, shippedFlags), stage.start('worker', {}, shippedFlags)])
  const url = `http://127.0.0.1:${ingest.port()}`
  console.log(`${await machine(stage.redis)}; load and readers on the same machine`)
  console.log(`The largest resident set in MiB with ${shippedFlags.join(' ')}, ${seconds} s at each load, ${readers} readers of the feed\n`)
  const rows = [['at rest', ...(await peaks([ingest, worker], () => Promise.resolve()))]]
  for (let count = 0; count < readers; count++) await follow(`${url}/sse/`)
  for (const [name, connections, bytes] of values.short ? loads.slice(0, 1) : loads)
    rows.push([name, ...(await peaks([ingest, worker], () => load({ url, connections, warmUp: 0, seconds, bytes })))])
  console.log(table(['load', 'ingest', 'worker'], rows))
} finally {
  await stage.close()
}

// A reader that keeps nothing of what it reads.
async function follow(url: string): Promise<void> {
  const [response]: IncomingMessage[] = await once(get(url), 'response')
  response?.resume().on('error', () => undefined) // it breaks off at the end
  stage.defer(() => response?.destroy())
}

/** The largest resident set of each process while `work` is under way, in MiB. */
async function peaks(processes: Process[], work: () => Promise<unknown>): Promise<string[]> {
  const pids = processes.map((process_) => process_.pid())
  const most = pids.map(() => 0)
  const look = async () => {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,rss=', '-p', pids.join()])
    for (const [pid, kib] of stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ +/).map(Number)))
      most[pids.indexOf(pid ?? 0)] = Math.max(most[pids.indexOf(pid ?? 0)] ?? 0, kib ?? 0)
  }
  const timer = setInterval(() => void look(), 100)
  await work()
  clearInterval(timer)
  await look()
  return most.map((kib) => (kib / 1024).toFixed(0))
}

// What a great replay costs: how much memory `bin/ops replay` takes, how many requests a second the remote gets, and how
// long live events take meanwhile from the hook to the comment, beside what they take without it.
//   node test/bench/replay.ts [--short] [--letters 50000] [--rate 50] [--seconds 20]
import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { about } from '../ops/letters.ts'
import { typeOps } from '../support/ops.ts'
import { sourceToken } from '../support/service.ts'
import { openStage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { makeDeadLetters } from './dead-letters.ts'
import { machine, percentile, table } from './table.ts'

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    letters: { type: 'string' },
    rate: { type: 'string' },
    seconds: { type: 'string' },
  },
})
const letters = Number(values.letters ?? (values.short ? 100 : 50_000))
const rate = values.rate ?? '50'
const seconds = Number(values.seconds ?? (values.short ? 0.5 : 20))
const livePerSecond = 5

const stage = await openStage({ SINKS_ENABLED: 'phabricator,sse', GITLAB_TOKEN: '' })
const { phabricator } = stage.sandbox
let sent = 0
try {
  await makeDeadLetters(stage, letters)
  const [ingest] = await Promise.all([stage.start('ingest'), stage.start('worker')])
  const url = `http://127.0.0.1:${ingest.port()}/hooks`
  console.log(`${await machine(stage.redis)}; all on the same machine`)
  console.log(`${letters} dead letters, replayed at ${rate}/s; ${livePerSecond} live events a second, ${seconds} s each\n`)

  await live(url, 1)
  const without = await live(url, seconds)
  const from = phabricator.requests.length
  const replay = typeOps(stage.environment, 'replay', '--kind', 'merge_request', '--rate', rate, '--reason', 'a benchmark')
  let peak = 0
  let over = false
  const watching = watch()
  await until(async () => (await putBack()) > 0, 'the replay has begun', 120_000)
  const beside = await live(url, seconds)
  const replayed = await putBack()
  replay.kill('SIGINT')
  const said = await replay.said
  over = true
  await watching
  if (!/put back/.test(said.out)) throw new Error(`The replay did not go on: ${said.out}${said.err}`)
  const cells = (times: number[]) => [50, 99].map((percent) => percentile(times, percent).toFixed(0))
  console.log(
    table(
      ['live events', 'p50 ms', 'p99 ms', 'put back', 'requests/s at most', 'bin/ops MiB at most'],
      [
        ['without a replay', ...cells(without), '–', '–', '–'],
        [
          'beside it',
          ...cells(beside),
          String(replayed),
          String(mostInASecond(phabricator.requests.slice(from))),
          (peak / 1024).toFixed(0),
        ],
      ],
    ),
  )
  console.log()

  async function watch(): Promise<void> {
    for (; !over; await pause(100)) {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(replay.pid)]).catch(() => ({ stdout: '0' }))
      peak = Math.max(peak, Number(stdout))
    }
  }
} finally {
  await stage.close()
}

async function putBack(): Promise<number> {
  const query = stage.database.selectFrom('replay_effects').select(({ fn }) => fn.countAll<number>().as('count'))
  return Number((await query.where('outcome', 'is not', null).executeTakeFirstOrThrow()).count)
}

/** Sends live events for so long; how many ms each took to its comment. */
async function live(url: string, duration: number): Promise<number[]> {
  const times: Array<Promise<number>> = []
  for (const end = Date.now() + duration * 1000; Date.now() < end; await pause(1000 / livePerSecond)) times.push(one(url))
  return await Promise.all(times)
}

async function one(url: string): Promise<number> {
  const number = 900_000 + sent++
  const task = phabricator.addTask({ id: 100_000 + number, title: 'A live task' })
  const body = JSON.stringify(about([task.id], 'merge-request-close', stage.sandbox.gitlab.url)).replaceAll('"iid":1', `"iid":${number}`)
  const began = performance.now()
  const headers = { 'content-type': 'application/json', 'x-gitlab-event': 'System Hook', 'x-gitlab-token': sourceToken }
  const { status } = await fetch(url, { method: 'POST', headers: { ...headers, 'idempotency-key': `live-${number}` }, body })
  if (status !== 202) throw new Error(`POST /hooks answered ${status}.`)
  await until(() => task.transactions.some(({ type }) => type === 'comment'), 'the comment is there', 60_000)
  return performance.now() - began
}

function mostInASecond(requests: Array<{ at: string }>): number {
  const counts = new Map<string, number>()
  for (const { at } of requests) counts.set(at.slice(0, 19), (counts.get(at.slice(0, 19)) ?? 0) + 1)
  return Math.max(0, ...counts.values())
}

// How many deliveries a second go through the whole of the worker: router, lanes, performers, remotes, journal; beside what
// most would write with the same parts (`naive-worker.ts`). Merge requests, each with a comment and a message of the feed,
// wait in Redis; then their queue is opened. Remotes that answer at once show what the service costs, remotes that take
// their time show how it grows with the number of workers.
//   node test/bench/flow.ts [--short] [--rounds 5] [--deliveries 1000] [--workers 1,2,4]
import { parseArgs } from 'node:util'
import { openStage, type Stage } from '../support/stage.ts'
import { mergeRequestBody } from './bodies.ts'
import { type Carrier, type Hook, naive, type StartCarrier, service } from './carriers.ts'
import { carry, type Figures, messagesOf } from './carry.ts'
import { machine, median, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { short: { type: 'boolean', default: false }, rounds: text, deliveries: text, workers: text } })
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const most = Number(values.deliveries ?? (values.short ? 20 : 1000))
const workerCounts = (values.workers ?? (values.short ? '1' : '1,2,4')).split(',').map(Number)
// A remote that takes 100 ms is the limit by itself, so fewer deliveries tell as much.
const remotes = [
  { answers: 'at once', ms: 0, deliveries: () => most },
  { answers: 'in 100 ms', ms: 100, deliveries: (workers: number) => Math.ceil(most / 4) * workers },
].slice(0, values.short ? 1 : 2)
const contestants: Array<{ name: string; start: StartCarrier }> = [
  { name: 'naive', start: naive },
  { name: 'the service', start: service },
]

const stage = await openStage({ SINKS_ENABLED: 'phabricator,sse', GITLAB_TOKEN: '' })
try {
  console.log(`${await machine(stage.redis)}; remotes, Redis, MariaDB and workers on the same machine`)
  console.log(`Merge requests of 5 KB with a comment and a message each; medians of ${rounds} interleaved rounds\n`)
  const rows: string[][] = []
  for (const remote of remotes) rows.push(...(await compare(stage, remote)))
  const cpus = ['workers ms', 'ratio', 'Redis ms', 'ratio', 'database ms']
  console.log(table(['remote', 'workers', 'who', 'comments/s', 'of naive', 'of one', ...cpus], rows))
  console.log('\nMilliseconds of CPU are for each comment, of all workers together. The ratios are medians of the rounds’ ratios.')
} finally {
  await stage.close()
}

async function compare(stage: Stage, { answers, ms, deliveries }: (typeof remotes)[number]): Promise<string[][]> {
  const cases = workerCounts.flatMap((workers) => contestants.map((who) => ({ ...who, workers, found: [] as Figures[] })))
  for (let round = 0; round < rounds; round += 1)
    for (const { start, workers, found } of round % 2 === 0 ? cases : cases.toReversed())
      found.push(await measure(stage, start, workers, ms, deliveries(workers)))
  return cases.map(({ name, workers, found }) => {
    const of = (figure: keyof Figures, digits = 2) => median(found.map((figures) => figures[figure])).toFixed(digits)
    const ratio = (figure: keyof Figures, isOther: (one: (typeof cases)[number]) => boolean) => {
      const other = cases.find(isOther)?.found ?? []
      return median(found.map((figures, round) => figures[figure] / (other[round]?.[figure] ?? Number.NaN))).toFixed(2)
    }
    const isNaive = (one: (typeof cases)[number]) => one.name === 'naive' && one.workers === workers
    const isFirst = (one: (typeof cases)[number]) => one.name === name
    const rates = [of('rate', 0), ratio('rate', isNaive), ratio('rate', isFirst)]
    const cpus = [of('workerCpu'), ratio('workerCpu', isNaive), of('redisCpu'), ratio('redisCpu', isNaive), of('databaseCpu')]
    return [answers, String(workers), name, ...rates, ...cpus]
  })
}

async function measure(stage: Stage, start: StartCarrier, workers: number, ms: number, count: number): Promise<Figures> {
  const { phabricator } = stage.sandbox
  const warmUp = values.short ? 2 : 300 * workers
  const carrier = await start(stage, workers)
  const own = phabricator.state.tasks.length
  try {
    const hooks = Array.from({ length: warmUp + count }, (_, index) => hookOf(index + 1))
    for (let number = 1; number <= hooks.length; number += 1) phabricator.addTask({ id: 1000 + number, title: 'A task' })
    await through(carrier, hooks.slice(0, warmUp), 0)
    phabricator.fault(ms > 0 ? { kind: 'slow', ms } : undefined)
    return await through(carrier, hooks.slice(warmUp), warmUp)
  } finally {
    await carrier.stop()
    phabricator.fault(undefined)
    phabricator.state.tasks.splice(own)
    phabricator.requests.splice(0)
  }

  async function through(carrier: Carrier, hooks: Hook[], before: number): Promise<Figures> {
    const all = before + hooks.length
    const comments = () => phabricator.state.tasks.slice(own, own + all).map(({ transactions }) => transactions.length)
    const isOver = async () => comments().every((count) => count > 0) && (await stage.redis.xlen(carrier.feed)) >= all
    const figures = await carry(stage, carrier, hooks, { isOver, due: { hooks: all, effects: 2 * all } })
    const messages = new Set((await messagesOf(stage, carrier)).map((message) => /"iid":(\d+)/.exec(message)?.[1]))
    const isOnce = messages.size === all && (await stage.redis.xlen(carrier.feed)) === all && comments().every((count) => count === 1)
    if (!isOnce) throw new Error('Not each delivery has its comment and its message once: the figures do not count.')
    return figures
  }
}

function hookOf(number: number): Hook {
  return { id: String(number), body: mergeRequestBody({ iid: number, task: 1000 + number, at: new Date().toISOString() }) }
}

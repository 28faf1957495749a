// How many deliveries a second go through the whole of the worker: router, lanes, performers, remotes, journal. Merge
// requests, each with a task and a message for the feed, wait in Redis; then the workers start. Remotes that answer at
// once show what the service costs, remotes that take their time show how it grows with the number of workers.
//   node test/bench/flow.ts [--short] [--rounds 5] [--deliveries 1000]
import { parseArgs } from 'node:util'
import { openQueues } from '#sinks/queues.ts'
import { addDeliveriesTo } from '../../apps/ingest/hooks/add-deliveries.ts'
import type { Process } from '../support/service.ts'
import { openStage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { mergeRequestBody } from './bodies.ts'
import { cpuOf } from './processes.ts'
import { machine, median, table } from './table.ts'

const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, rounds: { type: 'string' }, deliveries: { type: 'string' } },
})
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const most = Number(values.deliveries ?? (values.short ? 40 : 1000))
const workerCounts = values.short ? [1, 2] : [1, 2, 4]
// A remote that takes 100 ms is the limit by itself, so fewer deliveries tell as much.
const remotes = [
  { answers: 'at once', ms: 0, deliveries: most },
  { answers: 'in 100 ms', ms: 100, deliveries: Math.ceil(most / 4) },
]

type Figures = { rate: number; workerCpu: number; redisCpu: number }

let said = false
const rows: string[][] = []
for (const { answers, ms, deliveries } of remotes) {
  const found = workerCounts.map((): Figures[] => [])
  for (let round = 0; round < rounds; round += 1)
    for (const [index, workers] of workerCounts.entries()) found[index]?.push(await measure(workers, ms, deliveries))
  const of = (index: number, figure: keyof Figures) => median((found[index] ?? []).map((figures) => figures[figure]))
  for (const [index, workers] of workerCounts.entries()) {
    const ratio = of(index, 'rate') / of(0, 'rate')
    const cpus = [of(index, 'workerCpu').toFixed(2), of(index, 'redisCpu').toFixed(2)]
    rows.push([answers, String(workers), String(deliveries), of(index, 'rate').toFixed(0), ratio.toFixed(2), ...cpus])
  }
}
console.log(table(['remotes answer', 'workers', 'deliveries', 'deliveries/s', 'of one worker', 'CPU ms', 'Redis CPU ms'], rows))
console.log('\nCPU is for each delivery, that of all workers together.')

/** From when all workers have started until the last comment is made and the last message is out. */
async function measure(workers: number, ms: number, count: number): Promise<Figures> {
  const stage = await openStage({ SINKS_ENABLED: 'phabricator,sse', GITLAB_TOKEN: '' })
  try {
    if (!said)
      console.log(`${await machine(stage.redis)}; remotes, Redis, MariaDB and workers on the same machine; medians of ${rounds} rounds\n`)
    said = true
    const prefix = stage.environment.REDIS_PREFIX ?? ''
    const queues = openQueues({ redis: stage.redis, prefix })
    for (let number = 1; number <= count; number += 1) stage.sandbox.phabricator.addTask({ id: 1000 + number, title: 'A task' })
    if (ms > 0) stage.sandbox.phabricator.fault({ kind: 'slow', ms })
    const receivedAt = new Date().toISOString()
    const add = addDeliveriesTo({ redis: stage.redis, prefix })
    await queues.phabricator.pause()
    await queues.deliveries.pause()
    for (let number = 1; number <= count; number += 1)
      await add([{ id: `flow-${number}`, receivedAt, headers: {}, body: mergeRequestBody(number, receivedAt) }])

    const running: Process[] = await Promise.all(Array.from({ length: workers }, () => stage.start('worker')))
    const pids = running.map((worker) => worker.pid())
    const redisPid = Number(/process_id:(\d+)/.exec(await stage.redis.info('server'))?.[1])
    const [cpu, redisCpu] = [await cpuOf(...pids), await cpuOf(redisPid)]
    const started = performance.now()
    await queues.phabricator.resume()
    await queues.deliveries.resume()
    const left = async () => {
      const counts = await Promise.all(
        [queues.deliveries, queues.phabricator, queues.sse].map((queue) => queue.getJobCounts('wait', 'active', 'delayed')),
      )
      return counts.flatMap((each) => Object.values(each)).reduce((sum, number) => sum + number, 0)
    }
    await until(async () => (await left()) === 0 && (await left()) === 0, 'all deliveries are through', 300_000)
    const seconds = (performance.now() - started) / 1000
    const used = { workerCpu: ((await cpuOf(...pids)) - cpu) / count, redisCpu: ((await cpuOf(redisPid)) - redisCpu) / count }
    const made = stage.sandbox.phabricator.state.tasks.filter(({ id }) => id > 1000 && stage.sandbox.phabricator.comments(id).length === 1)
    if (made.length !== count) throw new Error(`${made.length} of ${count} tasks have their comment.`)
    await Promise.all(running.map((worker) => worker.stop()))
    return { rate: count / seconds, ...used }
  } finally {
    await stage.close()
  }
}

// Deliveries are routed in batches by one worker at a time, in the order in which Redis took them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { openJournal } from '#shared/journal/entry.ts'
import { outboxLength } from '#shared/queue/outbox.ts'
import { deliveryJobId, patientRedis } from '#shared/queue/queues.ts'
import { openQueues } from '#sinks/queues.ts'
import { addDeliveriesTo } from '../../apps/ingest/hooks/add-deliveries.ts'
import { openTrials } from '../../apps/worker/performer/trials.ts'
import { startRouter } from '../../apps/worker/router/router.ts'
import { until } from '../support/until.ts'
import { type Bench, openBenches } from './bench.ts'

let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
})
after(() => benches.close())

const names = (many: number, from = 0) => Array.from({ length: many }, (_, index) => `d${from + index}`)

function deliver({ redis, prefix }: Bench, ids: string[]): Promise<void> {
  const receivedAt = new Date().toISOString()
  return addDeliveriesTo({ redis, prefix })(ids.map((id) => ({ id, receivedAt, headers: {}, body: JSON.stringify({ object_kind: id }) })))
}

/** A router of a worker of its own, which plans one effect for each delivery; `planned` hears of each. */
function route({ prefix }: Bench, planned: (id: string) => void = () => undefined) {
  const redis = patientRedis(benches.url)
  const place = { redis, prefix }
  const stopping = new AbortController()
  const plan = ({ delivery }: { delivery: string }) => {
    planned(delivery)
    return [{ sink: 'phabricator', about: 'T1', order: delivery.startsWith('odd') ? 'odd' : 'lane', data: delivery }]
  }
  const sink = { repeat: 'look', order: 'lane', changesOthers: true, plan, replan: plan, wouldDo: () => undefined } as const
  const router = startRouter({
    context: {
      ...place,
      stopping: stopping.signal,
      mayForget: () => Promise.resolve(false),
      trials: openTrials(place),
      log: pino({ level: 'silent' }),
    },
    queue: openQueues(place).deliveries,
    sinks: { phabricator: { ...sink, perform: () => Promise.reject(new Error('not asked')) } },
    journal: openJournal(place, () => undefined),
    onPut: () => undefined,
  })
  return { close: () => router.close().finally(() => redis.disconnect()) }
}

const inLane = async ({ redis, prefix }: Bench) =>
  (await redis.zrange(`{${prefix}}:lane:phabricator:lane`, '0', '-1')).map((id) => id.split('/')[0])
const waiting = ({ queues }: Bench) => queues.deliveries.getWaitingCount()

test('with several routers each delivery is planned once, and all stand in their lane in the order in which they came', async () => {
  const bench = benches.open()
  const planned: string[] = []
  const routers = [1, 2, 3].map(() => route(bench, (id) => void planned.push(id)))
  for (let from = 0; from < 300; from += 30) await deliver(bench, names(30, from))
  await until(async () => (await waiting(bench)) === 0, 'all are routed')
  await Promise.all(routers.map(({ close }) => close()))
  assert.deepEqual([planned, await inLane(bench)], [names(300), names(300)])
  assert.equal(await bench.queues.deliveries.getCompletedCount(), 300)
  assert.equal((await bench.queues.deliveries.getJob(deliveryJobId('d7')))?.attemptsMade, 1)
  assert.equal(await outboxLength(bench), 300)
})

test('one that is not heard of is followed by another, which routes one by one what was under way', async () => {
  const bench = benches.open()
  await deliver(bench, names(3))
  const all = names(3).map(deliveryJobId)
  const router = `{${bench.prefix}}:router`
  await bench.redis.set(router, 'of one that died', 'PX', 300)
  await bench.redis.set(`${router}:batch`, JSON.stringify(['of one that died', ...all]))
  const { close } = route(bench)
  await until(async () => (await waiting(bench)) === 0, 'all are routed')
  await close()
  const deaths = await Promise.all(all.map(async (id) => (await bench.queues.deliveries.getJob(id))?.stalledCounter))
  assert.deepEqual([deaths, await inLane(bench)], [[1, 1, 1], names(3)])
  assert.deepEqual(await bench.redis.exists(router, `${router}:batch`), 0)
})

test('a batch that Redis will not settle goes one by one, and what it will never settle is a dead letter', async () => {
  const bench = benches.open()
  await bench.redis.set(`{${bench.prefix}}:lane:phabricator:odd`, 'no lane')
  await deliver(bench, ['d0', 'odd', 'd1', 'd2'])
  const { close } = route(bench)
  await until(async () => (await waiting(bench)) === 0, 'all are routed')
  await close()
  assert.deepEqual(await inLane(bench), names(3))
  const dead = await bench.queues.deliveries.getFailed()
  assert.deepEqual(
    dead.map(({ id }) => id),
    [deliveryJobId('odd')],
  )
  assert.match(dead[0]?.failedReason ?? '', /WRONGTYPE/)
})

test('while the queue is paused nothing is routed, and jobs that an earlier release put off or left are', async () => {
  const bench = benches.open()
  const { deliveries } = bench.queues
  await deliveries.pause()
  await deliver(bench, ['left', 'd1'])
  await deliveries.add(
    'delivery',
    { id: 'd2', receivedAt: new Date().toISOString(), headers: {}, body: '{}' },
    { jobId: 'delivery/d2', delay: 100 },
  )
  await bench.redis.lmove(deliveries.toKey('wait'), deliveries.toKey('active'), 'RIGHT', 'LEFT')
  const { close } = route(bench)
  await until(() => bench.redis.exists(`{${bench.prefix}}:router`), 'there is a router')
  assert.deepEqual([await waiting(bench), await deliveries.getActiveCount()], [1, 1])
  await deliveries.resume()
  await until(async () => (await deliveries.getCompletedCount()) === 3, 'all are routed')
  await close()
  assert.deepEqual(await inLane(bench), ['left', 'd1', 'd2'])
})

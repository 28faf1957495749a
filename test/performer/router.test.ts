// Deliveries are routed in batches by one worker at a time, in the order in which Redis took them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openJournal } from '#shared/journal/entry.ts'
import type { Json } from '#shared/process/json.ts'
import { openImpatience } from '#shared/queue/impatience.ts'
import { outboxKey, outboxLength } from '#shared/queue/outbox.ts'
import { deliveryJobId, patientRedis } from '#shared/queue/queues.ts'
import { openRelay } from '#shared/queue/relay.ts'
import type { ToldBefore } from '#shared/queue/told-events.ts'
import { openQueues } from '#sinks/queues.ts'
import { addDeliveriesTo } from '../../apps/ingest/hooks/add-deliveries.ts'
import { performerMetrics } from '../../apps/worker/performer/metrics.ts'
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

/** A router of a worker of its own, which plans one effect and one message for each delivery; `planned` hears of each. */
function route({ prefix }: Bench, planned: (id: string) => void = () => undefined, toldBefore?: ToldBefore) {
  const redis = patientRedis(benches.url)
  const place = { redis, prefix }
  const stopping = new AbortController()
  const queues = openQueues(place)
  const plan = ({ delivery }: { delivery: string }) => {
    planned(delivery)
    const [, many = '1'] = /^many-(\d+)$/.exec(delivery) ?? []
    if (many !== '1')
      return Array.from({ length: Number(many) }, (_, task) => ({ sink: 'phabricator', about: `T${task}`, order: 'lane', data: task }))
    return [{ sink: 'phabricator', about: 'T1', order: delivery.startsWith('odd') ? 'odd' : 'lane', data: delivery }]
  }
  const message = ({ delivery }: { delivery: string }) => [{ sink: 'sse', about: 'message', order: 'feed', data: delivery }]
  const publication = (data: Json) => ({ id: typeof data === 'string' ? data : '', message: JSON.stringify(data) })
  const notAsked = () => Promise.reject(new Error('not asked'))
  const plain = { shortfalls: [], ofDeliveries: toldBefore === undefined, alone: () => undefined }
  const sink = { repeat: 'look', order: 'lane', changesOthers: true, plan, replan: plan, wouldDo: () => undefined, ...plain } as const
  const router = startRouter({
    context: {
      ...place,
      stopping: stopping.signal,
      mayForget: () => Promise.resolve(false),
      trials: openTrials(place),
      log: pino({ level: 'silent' }),
    },
    queue: queues.deliveries,
    sinks: { phabricator: { ...sink, perform: notAsked }, sse: { ...sink, plan: message, perform: notAsked, publication } },
    journal: openJournal(place, () => undefined),
    toldBefore: toldBefore ?? (() => Promise.resolve(undefined)),
    impatience: openImpatience({ ...place, queues }),
    onPut: () => undefined,
    feedKeep: 1000,
    metrics: performerMetrics(new Registry()),
  })
  return { close: () => router.close().finally(() => redis.disconnect()) }
}

const inLane = async ({ redis, prefix }: Bench) =>
  (await redis.zrange(`{${prefix}}:lane:phabricator:lane`, '0', '-1')).map((id) => id.split('/')[0])
const onFeed = async ({ redis, prefix }: Bench) =>
  (await openRelay({ redis, prefix }).read('0-0', 1000, { bytes: 1e6 })).map(({ message }) => message)
const quoted = (ids: string[]) => ids.map((id) => `"${id}"`)
const waiting = ({ queues }: Bench) => queues.deliveries.getWaitingCount()
const routed = ({ queues }: Bench, many: number) =>
  until(async () => (await queues.deliveries.getJobCountByTypes('completed', 'failed')) === many, `${many} are routed`)

test('with several routers each delivery is planned once, and all stand in their lane in the order in which they came', async () => {
  const bench = benches.open()
  const planned: string[] = []
  const routers = [1, 2, 3].map(() => route(bench, (id) => void planned.push(id)))
  for (let from = 0; from < 300; from += 30) await deliver(bench, names(30, from))
  await routed(bench, 300)
  await Promise.all(routers.map(({ close }) => close()))
  assert.deepEqual([planned, await inLane(bench)], [names(300), names(300)])
  assert.equal(await bench.queues.deliveries.getCompletedCount(), 300)
  assert.equal((await bench.queues.deliveries.getJob(deliveryJobId('d7')))?.attemptsMade, 1)
  assert.equal(await outboxLength(bench), 300 + (await onFeed(bench)).length)
})

test('one that is not heard of is followed by another, which routes one by one what was under way', async () => {
  const bench = benches.open()
  await deliver(bench, names(3))
  const all = names(3).map(deliveryJobId)
  const router = `{${bench.prefix}}:router`
  await bench.redis.set(router, 'of one that died', 'PX', 300)
  await bench.redis.set(`${router}:batch`, JSON.stringify(['of one that died', ...all]))
  const { close } = route(bench)
  await routed(bench, 3)
  await close()
  const deaths = await Promise.all(all.map(async (id) => (await bench.queues.deliveries.getJob(id))?.stalledCounter))
  assert.deepEqual([deaths, await inLane(bench)], [[1, 1, 1], names(3)])
  assert.deepEqual(await bench.redis.exists(router, `${router}:batch`), 0)
})

test('one is the router for 1.5 s at a time, so that another takes over within two', async () => {
  const bench = benches.open()
  const router = `{${bench.prefix}}:router`
  const { close } = route(bench)
  await until(() => bench.redis.exists(router), 'there is a router')
  const leases: number[] = []
  await until(async () => leases.push(await bench.redis.pttl(router)) >= 20, 'its lease was looked at')
  await close()
  const forEver = -1
  assert.ok(!leases.includes(forEver) && Math.max(...leases) <= 1500, `the leases were ${leases.join()} ms`)
})

test('a batch that Redis will not settle goes one by one, and what it will never settle is a dead letter', async () => {
  const bench = benches.open()
  await bench.redis.set(`{${bench.prefix}}:lane:phabricator:odd`, 'no lane')
  await deliver(bench, ['d0', 'odd', 'd1', 'd2'])
  const { close } = route(bench)
  await routed(bench, 4)
  await close()
  assert.deepEqual(await inLane(bench), names(3))
  const dead = await bench.queues.deliveries.getFailed()
  assert.deepEqual(
    dead.map(({ id }) => id),
    [deliveryJobId('odd')],
  )
  assert.match(dead[0]?.failedReason ?? '', /WRONGTYPE/)
})

test('a batch of very many effects is settled like any other', async () => {
  const bench = benches.open()
  await deliver(bench, ['many-25000', 'd0'])
  const { close } = route(bench)
  await until(async () => (await waiting(bench)) === 0, 'both are routed')
  await close()
  assert.equal(await bench.redis.zcard(`{${bench.prefix}}:lane:phabricator:lane`), 25_001)
  assert.equal(await bench.queues.deliveries.getFailedCount(), 0)
})

test('a batch that took longer to plan than one stays the router is settled, if nobody has taken over', async () => {
  const bench = benches.open()
  await deliver(bench, names(3))
  const planned: string[] = []
  const { close } = route(
    bench,
    (id) => void planned.push(id),
    async () => void (await bench.redis.del(`{${bench.prefix}}:router`)),
  )
  await until(async () => (await waiting(bench)) === 0, 'all are routed')
  await close()
  assert.deepEqual([planned, await inLane(bench)], [names(3), names(3)])
})

test('what Redis refuses while deliveries are planned makes them wait, and kills none', async () => {
  const bench = benches.open()
  await deliver(bench, names(3))
  const refusal = Object.assign(new Error('OOM command not allowed when used memory > maxmemory'), { name: 'ReplyError' })
  let refusals = 1
  const { close } = route(bench, undefined, () => (refusals-- > 0 ? Promise.reject(refusal) : Promise.resolve(undefined)))
  await until(async () => (await waiting(bench)) === 0, 'all are routed')
  await close()
  assert.deepEqual([await bench.queues.deliveries.getFailedCount(), await inLane(bench)], [0, names(3)])
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
  await routed(bench, 3)
  await close()
  assert.deepEqual(await inLane(bench), ['left', 'd1', 'd2'])
})

test('messages are appended with what is settled, each told to the journal with its place, and again only once', async () => {
  const bench = benches.open()
  await openRelay(bench).publish('before', '"before"')
  await deliver(bench, names(5))
  const { close } = route(bench)
  await routed(bench, 5)
  await bench.queues.deliveries.clean(0, 0, 'completed')
  await deliver(bench, names(2))
  await routed(bench, 2)
  await close()
  assert.deepEqual(await onFeed(bench), ['"before"', ...quoted(names(5))])
  assert.equal(await bench.queues.sse.getJobCountByTypes('wait', 'completed'), 0)
  const entries = await bench.redis.lrange(outboxKey(bench.prefix), 0, -1)
  const places = entries.flatMap(
    (entry) => /"toldAtMs":\d+,"made":"(\S+?)","previous":"(\S+?)","type":"ended".*"sink":"sse"/.exec(entry)?.slice(1, 3) ?? [],
  )
  const entriesOfFeed = await openRelay(bench).read('0-0', 1000, { bytes: 1e6 })
  const chain = entriesOfFeed.slice(1).flatMap(({ cursor, previous }) => [cursor, previous])
  assert.deepEqual(places, [...chain, ...chain.slice(0, 4)])
})

test('while the feed is paused, or something waits for it, messages go through its queue, in their order', async () => {
  const bench = benches.open()
  const { sse } = bench.queues
  await openRelay(bench).publish('before', '"before"')
  const { close } = route(bench)
  await sse.pause()
  await deliver(bench, names(3))
  await until(async () => (await sse.getWaitingCount()) === 3, 'they wait')
  await sse.resume()
  await deliver(bench, names(2, 3))
  await until(async () => (await sse.getWaitingCount()) === 5, 'those behind them wait, too')
  await bench.start('sse', async (id) => {
    await openRelay(bench).publish(id, `"${id}"`)
    return { state: 'done' }
  })
  await until(async () => (await sse.getCompletedCount()) === 5, 'they are published')
  await deliver(bench, names(1, 5))
  await until(async () => (await onFeed(bench)).length === 7, 'the next one is appended')
  await close()
  assert.deepEqual(await onFeed(bench), ['"before"', ...quoted(names(6))])
  assert.equal(await sse.getCompletedCount(), 5)
})

test('the first message of a relay that is empty goes through its queue, since the journal must be asked', async () => {
  const bench = benches.open()
  await deliver(bench, names(2))
  const { close } = route(bench)
  await until(async () => (await bench.queues.sse.getWaitingCount()) === 2, 'both wait')
  await close()
  assert.deepEqual(await onFeed(bench), [])
})

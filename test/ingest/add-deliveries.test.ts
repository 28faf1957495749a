import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import type { Delivery } from '#shared/event/delivery.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { addDeliveriesTo } from '../../apps/ingest/hooks/add-deliveries.ts'
import { enqueue } from '../../apps/ingest/hooks/enqueue.ts'
import { type Server, startRedis } from '../support/servers.ts'

let server: Server
let redis: Redis

before(async () => {
  server = await startRedis()
  redis = new Redis(server.url, { maxRetriesPerRequest: null })
})
after(async () => {
  redis.disconnect()
  await server.stop()
})

const deliveries: Delivery[] = ['one', 'two/2', '💥:3'].map((id) => ({
  id,
  receivedAt: '2026-11-23T10:00:00.000Z',
  headers: { 'x-gitlab-event': 'System Hook' },
  body: '{"object_kind":"push","text":"„ä\\u2028 line"}',
}))

type Stored = { wait: string[]; marker: string[]; jobs: Array<Record<string, string>> }

async function stored(prefix: string): Promise<Stored> {
  const key = (name: string) => `{${prefix}}:deliveries:${name}`
  return {
    wait: await redis.lrange(key('wait'), 0, -1),
    marker: await redis.zrange(key('marker'), '0', '-1', 'WITHSCORES'),
    jobs: await Promise.all(deliveries.map(({ id }) => redis.hgetall(key(deliveryJobId(id))))),
  }
}

// What BullMQ writes and we leave out: the id once more, and no attempts, which is what it takes for missing ones.
function comparable({ wait, marker, jobs }: Stored) {
  const isTime = /^\d{13}$/
  return {
    wait,
    marker,
    jobs: jobs.map(({ name, data, timestamp = '', delay, priority }) => ({ name, data, delay, priority, at: isTime.test(timestamp) })),
  }
}

for (const [state, arrange] of [
  ['going', () => Promise.resolve()],
  ['paused', async (prefix: string) => await openQueue({ redis, prefix }, 'deliveries').pause()],
  [
    'busy with as many jobs as may run at once',
    async (prefix: string) => {
      const queue = openQueue({ redis, prefix }, 'deliveries')
      await queue.setGlobalConcurrency(1)
      await redis.lpush(`{${prefix}}:deliveries:active`, 'another')
    },
  ],
  [
    'less busy than it may be',
    async (prefix: string) => {
      const queue = openQueue({ redis, prefix }, 'deliveries')
      await queue.setGlobalConcurrency(2)
      await redis.lpush(`{${prefix}}:deliveries:active`, 'another')
    },
  ],
] as const) {
  test(`what is added together is what BullMQ would have added one after another: a queue that is ${state}`, async () => {
    const [ours, theirs] = [`ours-${state}`, `theirs-${state}`]
    for (const prefix of [ours, theirs]) await arrange(prefix)
    const queue = openQueue({ redis, prefix: theirs }, 'deliveries')
    for (const delivery of deliveries) await queue.add('delivery', delivery, { jobId: deliveryJobId(delivery.id) })
    await addDeliveriesTo({ redis, prefix: ours })(deliveries)

    const found = await stored(ours)
    assert.deepEqual(comparable(found), comparable(await stored(theirs)))
    assert.equal(found.jobs.length, 3)

    const read = await openQueue({ redis, prefix: ours }, 'deliveries').getJob(deliveryJobId('💥:3'))
    assert.deepEqual(read?.data, deliveries[2])
    assert.equal(await read?.isWaiting(), true)
  })
}

test('a delivery that is in the queue already stays as it is, and its neighbours are added', async () => {
  const addDeliveries = addDeliveriesTo({ redis, prefix: 'repeats' })
  const [one, two, three] = deliveries
  assert.ok(one && two && three)
  await addDeliveries([two])
  await addDeliveries([one, { ...two, body: '{"object_kind":"other"}' }, three, { ...three, body: '{}' }])

  const { wait, jobs } = await stored('repeats')
  assert.deepEqual(
    wait,
    [three, one, two].map(({ id }) => deliveryJobId(id)),
  )
  assert.deepEqual(
    jobs.map(({ data = '' }) => JSON.parse(data)),
    deliveries,
  )
})

test('a Redis that is full takes none of them', async () => {
  const full = await startRedis()
  const client = new Redis(full.url)
  try {
    await client.config('SET', 'maxmemory', '1')
    await assert.rejects(addDeliveriesTo({ redis: client, prefix: 'full' })(deliveries), /OOM/)
    assert.deepEqual(await client.keys('*'), [])
  } finally {
    client.disconnect()
    await full.stop()
  }
})

test('a Redis that has forgotten its scripts is told them again', async () => {
  const addDeliveries = addDeliveriesTo({ redis, prefix: 'forgetful' })
  await addDeliveries(deliveries.slice(0, 1))
  await redis.script('FLUSH')
  await addDeliveries(deliveries)
  assert.equal((await stored('forgetful')).wait.length, 3)
})

test('an answer of Redis counts that came in time, while the process had none to hear it', async () => {
  const addDeliveries = addDeliveriesTo({ redis, prefix: 'busy' })
  await addDeliveries(deliveries.slice(0, 1))
  const accept = enqueue(addDeliveries, 50)
  const accepted = deliveries.slice(1).map(accept)
  await new Promise<void>((resolve) => setImmediate(resolve))
  for (const end = performance.now() + 500; performance.now() < end; );
  await Promise.all(accepted)
  assert.equal((await stored('busy')).wait.length, 3)
})

// What is handed to the performers is what BullMQ would have written, and only once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Job } from 'bullmq'
import { inLane } from '#shared/queue/lane-script.ts'
import { retries } from '#shared/queue/retries.ts'
import { type Bench, effect, openBenches } from './bench.ts'

let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
})
after(() => benches.close())

const task = effect('T1', 'mr T1')
const again = effect('T2', 'mr T2')
const message = effect('message', 'feed', 'sse')
const effects = [task, again, message]

/** What there is of an effect's job, but for what differs by nature: when it was made, and its id among its options. */
function looked(job: Job | undefined) {
  const { jobId: _, ...opts } = job?.opts ?? {}
  const { id, name, data, delay, priority, attemptsMade, attemptsStarted } = job ?? {}
  return { id, name, data, delay, priority, attemptsMade, attemptsStarted, opts, isRecent: Date.now() - (job?.timestamp ?? 0) < 60_000 }
}

async function jobsOf({ queues }: Bench) {
  return await Promise.all(effects.map(async ({ sink, id }) => looked(await queues[sink].getJob(id))))
}

test('the effects of a delivery are added together as BullMQ would add one after another', async () => {
  const [ours, theirs] = [benches.open(), benches.open()]
  await ours.dispatch(effects)
  const nameOf = (sink: string) => (sink === 'sse' ? 'effect' : inLane)
  for (const one of effects) await theirs.queues[one.sink].add(nameOf(one.sink), one, { jobId: one.id, ...retries })
  assert.deepEqual(await jobsOf(ours), await jobsOf(theirs))
  for (const name of ['phabricator', 'sse'] as const) {
    const stored = async ({ redis, queues }: Bench) => [
      await redis.lrange(queues[name].toKey('wait'), 0, -1),
      await redis.zrange(queues[name].toKey('marker'), '0', '-1', 'WITHSCORES'),
    ]
    assert.deepEqual(await stored(ours), await stored(theirs))
  }
})

test('an effect that is dispatched again stays as it is, in its lane and its queue', async () => {
  const bench = benches.open()
  await bench.dispatch([task])
  await bench.dispatch([{ ...task, data: 'other' }, again])
  const [first, second] = await jobsOf(bench)
  assert.deepEqual([first?.data, second?.data], [task, again])
  assert.equal(await bench.queues.phabricator.getWaitingCount(), 2)
  assert.deepEqual(await bench.lanes.waiting(task), [task.id])
})

test('a delivery without effects touches nothing', async () => {
  const bench = benches.open()
  await bench.dispatch([])
  assert.deepEqual(await bench.redis.keys(`*${bench.prefix}*`), [])
})

test('nothing is dispatched for a job that another worker runs, or that was lost with Redis', async () => {
  const bench = benches.open()
  const key = bench.queues.deliveries.toKey('one:lock')
  await bench.redis.set(key, 'mine')
  assert.equal(await bench.dispatch([task], { lock: { key, token: 'mine' } }), true)
  await bench.redis.set(key, 'theirs')
  assert.equal(await bench.dispatch([again], { lock: { key, token: 'mine' } }), false)
  await bench.redis.del(key)
  assert.equal(await bench.dispatch([again], { lock: { key, token: 'mine' } }), false)
  assert.deepEqual([await bench.lanes.waiting(task), await bench.lanes.waiting(again)], [[task.id], []])
  assert.equal(await bench.queues.phabricator.getWaitingCount(), 1)
})

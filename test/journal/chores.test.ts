// Chores: with several workers each is done once, by one of them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { migrate } from '#shared/journal/database.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import type { QueueName } from '#sinks/queues.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let workers: Process[]
before(async () => {
  stage = await openStage({ SINKS_ENABLED: 'sse' })
  workers = await Promise.all([stage.start('worker'), stage.start('worker')])
})
after(() => stage?.close())

const told = (message: string) =>
  workers.flatMap(({ lines }) => lines.filter(({ msg, queue, chore }) => msg === message && (queue ?? chore)))
const open = (name: QueueName) => openQueue({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' }, name)
const queue = () => open('chores')
// A job that has died.
async function bury(queueName: QueueName, name: string, data: unknown): Promise<void> {
  const at = Date.now() + 3_600_000
  const job = await open(queueName).add(name, data, { jobId: 'buried', delay: at - Date.now(), attempts: 3 })
  const key = (set: string) => `{${stage.environment.REDIS_PREFIX}}:${queueName}:${set}`
  await stage.redis
    .multi()
    .zrem(key('delayed'), String(job.id))
    .zadd(key('failed'), 1, String(job.id))
    .hset(key('buried'), 'atm', 3, 'finishedOn', 1)
    .exec()
}

const insertOld = (id: string) => {
  const row = { id, received_at: new Date('2020-01-01'), kind: 'push', action: null, project: null, iid: null, username: null, title: null }
  return stage.database
    .insertInto('deliveries')
    .values({ ...row, origin: 'hook' })
    .execute()
}

test('two workers have one schedule, and prune once when its time has come', async () => {
  const jobs = await queue().getDelayed()
  assert.deepEqual(
    jobs.map(({ name }) => name).filter((name) => name === 'prune'),
    ['prune'],
  )
  const prune = jobs.find(({ name }) => name === 'prune')
  const at = new Date(Number(prune?.timestamp) + Number(prune?.delay))
  assert.deepEqual([at.getUTCHours(), at.getUTCMinutes()], [3, 17])

  await migrate(stage.database)
  await insertOld('old')
  await bury('chores', 'prune', {})
  await prune?.promote()
  await until(async () => (await stage.database.selectFrom('deliveries').select('id').execute()).length === 0, 'the old delivery is gone')
  await until(async () => (await queue().getCompletedCount()) === 1, 'the chore is done')
  await until(() => told('chore done').length > 0, 'that is said')
  assert.equal(told('chore done').length, 1)
  await until(async () => (await queue().getFailedCount()) === 0, 'that it failed some other time is made up for')
  assert.ok(
    (await queue().getDelayed()).some(({ name }) => name === 'prune'),
    'the next turn waits',
  )
})

test('what could not be written into the journal is tried again when a worker starts', async () => {
  const entry = { type: 'failed', effect: 'an effect', number: 1, at: new Date().toISOString(), ms: 5, reason: 'no' }
  await bury('journal', 'entry', entry)
  await stage.start('worker')
  const attempts = stage.database.selectFrom('attempts').select('effect')
  await until(async () => (await attempts.execute()).length === 1, 'it is written')
  assert.equal(await open('journal').getFailedCount(), 0)
})

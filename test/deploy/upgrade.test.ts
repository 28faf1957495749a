// An upgrade finds what the release before has left in the queues, and tables that another process may be making just now.
// The records in test/fixtures/records are jobs as that release wrote them: never change them, add to them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { z } from 'zod'
import { migrations } from '#shared/journal/migrations.ts'
import { openQueues, type QueueName, queueNames } from '#sinks/queues.ts'
import { botNotes, verbs } from '../flow/flow.ts'
import { bareEnvironment } from '../support/bare.ts'
import { readFeed } from '../support/feed.ts'
import { freePort } from '../support/ports.ts'
import type { Environment } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const recordsSchema = z.array(z.object({ name: z.string(), jobId: z.string().optional(), data: z.json() }))

function recordsOf(queue: string): z.output<typeof recordsSchema> {
  return recordsSchema.parse(JSON.parse(readFileSync(new URL(`../fixtures/records/${queue}.json`, import.meta.url), 'utf8')))
}

const laneSchema = z.object({ id: z.string(), sink: z.enum(['phabricator', 'commits', 'gitlab-mentions']), order: z.string() })

// Where that release kept the order of effects.
async function enterLane({ id, sink, order }: z.output<typeof laneSchema>): Promise<void> {
  const prefix = `{${stage.environment.REDIS_PREFIX}}`
  await stage.redis.zadd(`${prefix}:lane:${sink}:${order}`, await stage.redis.incr(`${prefix}:planned`), id)
}

let stage: Stage
before(async () => {
  stage = await openStage()
})
after(() => stage?.close())

function migrate(environment: Environment): Promise<{ code: number; err: string }> {
  const program = new URL('../../apps/worker/migrate.ts', import.meta.url).pathname
  const env = bareEnvironment(environment)
  return new Promise((resolve) => {
    execFile(process.execPath, [program], { env }, (error, _out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, err }),
    )
  })
}

test('three who bring the tables up to date at once do it once, and all are content', async () => {
  const ends = await Promise.all(Array.from({ length: 3 }, () => migrate(stage.environment)))
  assert.deepEqual(ends, Array(3).fill({ code: 0, err: '' }))
  const { rows } = await sql<{ name: string }>`select name from migrations order by name`.execute(stage.database)
  assert.deepEqual(
    rows.map(({ name }) => name),
    Object.keys(migrations).sort(),
  )
})

test('without a database, or without its address, the reason is told', async () => {
  const away = await migrate({ DATABASE_URL: `mysql://nobody:a-secret@127.0.0.1:${await freePort()}/none` })
  assert.equal(away.code, 1)
  assert.match(away.err, /^The database says: .*ECONNREFUSED/)
  const unset = await migrate({})
  assert.equal(unset.code, 78)
  assert.match(unset.err, /DATABASE_URL: is required/)
})

test('jobs of the release before are understood: each is done, and none is laid out', async () => {
  const queues = openQueues({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })
  const names: QueueName[] = ['deliveries', 'phabricator', 'commits', 'gitlab-mentions', 'sse', 'journal']
  for (const queue of names)
    for (const { name, jobId, data } of recordsOf(queue)) {
      const { success, data: effect } = laneSchema.safeParse(data)
      if (success) await enterLane(effect)
      await queues[queue].add(name, data, { attempts: 1, ...(jobId !== undefined && { jobId }) })
    }
  const ingest = await stage.start('ingest')
  await Promise.all([stage.start('worker'), stage.start('worker')])

  const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`, { 'last-event-id': '0-0' })
  stage.defer(reader.close)
  const journalled = async (id: string) =>
    await stage.database.selectFrom('effects').select(['state', 'attempts']).where('delivery', '=', id).execute()
  const deliveries = async () => (await stage.database.selectFrom('deliveries').select('id').orderBy('id').execute()).map(({ id }) => id)
  await until(() => verbs(stage, 1) === 'opened opened' && verbs(stage, 2) === 'opened opened', 'the tasks have the comments')
  await until(() => botNotes(stage).length === 1, 'the merge request has its note')
  await until(() => reader.messages.filter(({ event }) => event === undefined).length === 3, 'the feed has the messages')
  await until(async () => (await deliveries()).length === 4, 'the journal knows the deliveries')
  assert.deepEqual(await deliveries(), ['imported-delivery', 'journalled-delivery', 'minimal-delivery', 'waiting-delivery'])
  await until(
    async () => (await journalled('journalled-delivery')).every(({ state }) => state === 'done'),
    'its effects are done in the journal',
  )
  const attempts = stage.database.selectFrom('attempts').select('reason').where('effect', '=', 'journalled-delivery/phabricator/T1')
  await until(async () => (await attempts.execute()).length > 0, 'and the attempt that failed')
  assert.deepEqual(await attempts.execute(), [{ reason: 'Phabricator answers 400.' }])
  for (const name of queueNames) assert.deepEqual(await queues[name].getFailed(), [], name)
})

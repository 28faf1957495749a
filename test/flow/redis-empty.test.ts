// A Redis that comes back empty under two workers: what comes afterwards is served as before, one after another.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { readJson } from '#shared/process/json.ts'
import type { Process } from '../support/service.ts'
import { until } from '../support/until.ts'
import { type Flow, mergeRequestHook, openFlow } from './flow.ts'

let flow: Flow
let another: Process
before(async () => {
  flow = await openFlow(() => ({ SINKS_ENABLED: 'sse' }))
  another = await flow.start('worker')
})
after(() => flow?.close())

const messageSchema = z.looseObject({ meta: z.object({ id: z.string() }) })

async function onTheFeed(): Promise<string[]> {
  const entries = await flow.redis.xrange(`{${flow.environment.REDIS_PREFIX}}:feed`, '-', '+')
  return entries.map(([, [, message = '']]) => messageSchema.parse(readJson(message)).meta.id)
}

// Every seventh is so large that it takes longer than those behind it.
async function sendMany(round: string): Promise<string[]> {
  const ids = Array.from({ length: 300 }, (_, index) => `${round}-${String(index).padStart(4, '0')}`)
  const large = 'x'.repeat(300_000)
  for (const [index, id] of ids.entries())
    await flow.send(mergeRequestHook(flow, { title: id, ...(index % 7 === 0 && { description: large }) }), id)
  await flow.settled()
  return ids
}

test('hundreds of hooks after a FLUSHALL come by the feed in order', async () => {
  await flow.redis.flushall()
  const ids = await sendMany('flushed')
  assert.deepEqual(await onTheFeed(), ids)
})

test('so they do when nothing of what the workers set up is there, at any time', async () => {
  const isSetUp = () => flow.redis.exists(`{${flow.environment.REDIS_PREFIX}}:set-up`)
  await flow.redis.flushall()
  await until(isSetUp, 'a worker has set up what was lost')
  await flow.redis.flushall()
  const ids = await sendMany('flushed-again')
  assert.deepEqual(await onTheFeed(), ids)
})

test('the schedules of the chores and the options of the queues are there again', async () => {
  await flow.redis.flushall()
  await until(async () => (await flow.queues.chores.getJobSchedulersCount()) === 2, 'both chores have their schedule')
  const meta = (name: string) => flow.redis.hgetall(`{${flow.environment.REDIS_PREFIX}}:${name}:meta`)
  await until(async () => (await meta('deliveries'))['opts.maxLenEvents'] === '100', 'the events of a queue are bounded')
  assert.deepEqual([(await meta('deliveries')).concurrency, (await meta('sse')).concurrency], ['1', '1'])
  // Whoever sees it first.
  await until(() => [flow.worker, another].some(({ text }) => text().includes('Redis has come back empty')), 'a worker says so')
})

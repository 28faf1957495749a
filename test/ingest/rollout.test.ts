// A rollout while Redis is away: the new process has another host name, so it cannot know whether the one before it lives.
import assert from 'node:assert/strict'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../support/until.ts'
import { ask, names, queued, records, scene, sendAll } from './spool-scene.ts'

const spooled = (text: string) => Number(/"spool":\{[^}]*"deliveries":(\d+)/.exec(text)?.[1])

scene('what a process that was stopped has spooled goes before what its successor of another host takes', async (play) => {
  const old = await play.start({}, 'old-pod')
  await sendAll(old, names(5))
  assert.equal(await old.stop(), 0)
  const redis = await play.startRedisThere()
  const next = await play.start({}, 'new-pod')
  await sendAll(next, ['later'])
  // The old file would grow stale after half a minute.
  await until(async () => (await queued(redis)).length === 6, 'all deliveries are in Redis, long before the old file grows stale', 25_000)
  assert.deepEqual(await queued(redis), [...names(5), 'later'])
  await until(async () => (await records(play.spool)).length === 0, 'the spool files are gone')
})

scene('beside the fresh file of a killed process of another host a new one spools, and nothing is overtaken', async (play) => {
  const old = await play.start({}, 'old-pod')
  await sendAll(old, names(3))
  process.kill(old.pid(), 'SIGKILL')
  await old.exit
  const [left = ''] = await records(play.spool)
  const redis = await play.startRedisThere()
  const next = await play.start({}, 'new-pod')
  await sendAll(next, ['later', 'last'])
  assert.equal(spooled((await ask(next, '/readyz')).text), 2)
  assert.deepEqual(await queued(redis), [])

  // Half a minute without a touch.
  const longAgo = new Date(Date.now() - 31_000)
  await utimes(join(play.spool, left), longAgo, longAgo)
  await until(async () => (await queued(redis)).length === 5, 'all deliveries are in Redis')
  assert.deepEqual(await queued(redis), [...names(3), 'later', 'last'])
  await until(async () => spooled((await ask(next, '/readyz')).text) === 0, 'nothing waits any more')
  await sendAll(next, ['through'])
  assert.equal((await queued(redis)).at(-1), 'through')
})

scene('a process that overlaps with its predecessor hands over what that spooled before what it spooled itself', async (play) => {
  const old = await play.start({}, 'old-pod')
  const next = await play.start({}, 'new-pod')
  await sendAll(old, ['first', 'second'])
  await sendAll(next, ['third'])
  assert.equal(await old.stop(), 0)
  await sendAll(next, ['fourth'])
  const redis = await play.startRedisThere()
  await until(async () => (await queued(redis)).length === 4, 'all deliveries are in Redis')
  assert.deepEqual(await queued(redis), ['first', 'second', 'third', 'fourth'])
})

scene('a chain of processes that each are stopped hands on everything in order', async (play) => {
  const ids = names(6)
  for (const [turn, id] of ids.entries()) {
    const ingest = await play.start({}, `pod-${turn}`)
    await sendAll(ingest, [id])
    assert.equal(await ingest.stop(), 0)
  }
  const redis = await play.startRedisThere()
  const last = await play.start({}, 'last-pod')
  await sendAll(last, ['last'])
  await until(async () => (await queued(redis)).length === 7, 'all deliveries are in Redis')
  assert.deepEqual(await queued(redis), [...ids, 'last'])
})

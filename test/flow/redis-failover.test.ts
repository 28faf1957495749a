// Redis moves to another server while its address stays the same.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { openQueue } from '#shared/queue/open-queue.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { openDoor } from '../support/door.ts'
import { type Server, startRedis } from '../support/servers.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { mergeRequestHook, verbs } from './flow.ts'

let stage: Stage
before(async () => {
  stage = await openStage({ SINKS_ENABLED: 'phabricator' })
})
after(() => stage?.close())

async function serve(): Promise<{ server: Server; redis: Redis }> {
  const server = await startRedis()
  stage.defer(server.stop)
  const redis = new Redis(server.url).on('error', () => undefined)
  stage.defer(() => redis.disconnect())
  return { server, redis }
}

async function follow(redis: Redis, primary: { port: number | string }): Promise<void> {
  await redis.call('REPLICAOF', '127.0.0.1', String(primary.port))
  await until(async () => /master_link_status:up/.test(await redis.info('replication')), 'the replica follows')
}

async function send(ingest: Process, id: string, attributes: object = {}): Promise<void> {
  const answer = await post(ingest, mergeRequestHook(stage, attributes), { 'idempotency-key': id })
  assert.equal(answer.status, 202)
}

test('a server that is demoted under its clients is left for the one to which the address leads now', async () => {
  const [old, next] = [await serve(), await serve()]
  const door = await openDoor(old.server.url)
  stage.defer(door.close)
  const environment = { REDIS_URL: door.url, REDIS_PREFIX: 'demoted' }
  const [ingest] = await Promise.all([stage.start('ingest', environment), stage.start('worker', environment)])
  await send(ingest, 'before')
  await until(() => verbs(stage, 1) === 'opened' && verbs(stage, 2) === 'opened', 'the first one has its comments')
  await follow(next.redis, old.server)
  door.lead(next.server.url)
  await next.redis.call('REPLICAOF', 'NO', 'ONE')
  await follow(old.redis, next.server)
  await send(ingest, 'after', { action: 'close', state: 'closed' })
  await until(() => verbs(stage, 1) === 'opened closed' && verbs(stage, 2) === 'opened closed', 'the second one has its comments')
})

test('what was done, and forgotten by a failover to a replica that lagged behind, is not done again', async () => {
  const [primary, replica] = [await serve(), await serve()]
  const [door, between] = await Promise.all([openDoor(primary.server.url), openDoor(primary.server.url)])
  stage.defer(door.close)
  stage.defer(between.close)
  await follow(replica.redis, new URL(between.url))
  stage.sandbox.phabricator.addTask({ id: 70, title: 'Done before the failover' })
  const environment = { REDIS_URL: door.url, REDIS_PREFIX: 'lagging' }
  const [ingest] = await Promise.all([stage.start('ingest', environment), stage.start('worker', environment)])
  const queueOn = (connection: Redis) => openQueue({ redis: connection, prefix: 'lagging' }, 'phabricator')
  await queueOn(primary.redis).pause()
  await send(ingest, 'lagging', { iid: 7, description: 'Bug: T70' })
  await until(async () => (await replica.redis.exists(`{lagging}:phabricator:lagging/phabricator/T70`)) === 1, 'the replica has the effect')
  await between.close()
  await queueOn(primary.redis).resume()
  await until(() => verbs(stage, 70) === 'opened', 'the comment is there')
  await replica.redis.call('REPLICAOF', 'NO', 'ONE')
  door.lead(replica.server.url)
  await primary.server.stop()
  await queueOn(replica.redis).resume()
  await until(async () => (await queueOn(replica.redis).getCompletedCount()) === 1, 'the effect has ended once more')
  assert.equal(verbs(stage, 70), 'opened')
})

test('with REDIS_REPLICAS a delivery that was answered 202 survives the loss of the primary', async () => {
  const [primary, replica] = [await serve(), await serve()]
  const [door, between] = await Promise.all([openDoor(primary.server.url), openDoor(primary.server.url)])
  stage.defer(door.close)
  stage.defer(between.close)
  await follow(replica.redis, new URL(between.url))
  const ingest = await stage.start('ingest', { REDIS_URL: door.url, REDIS_PREFIX: 'replicas', REDIS_REPLICAS: '1' })
  const has = (redis: Redis, id: string) => redis.exists(`{replicas}:deliveries:${deliveryJobId(id)}`)
  const spooled = async () => /"deliveries":(\d+)/.exec(await (await fetch(`http://127.0.0.1:${ingest.port()}/readyz`)).text())?.[1]
  for (let index = 0; index < 20; index++) {
    await send(ingest, `on-both-${index}`)
    // A busy replica is waited for for a moment only.
    assert.ok((await spooled()) !== '0' || (await has(replica.redis, `on-both-${index}`)) === 1)
  }
  await until(async () => (await spooled()) === '0', 'nothing is in the spool')

  await between.close()
  await send(ingest, 'on-one')
  assert.equal(await has(primary.redis, 'on-one'), 1)
  assert.equal(await spooled(), '1', 'it is in the spool, too')
  await primary.server.stop()
  await replica.redis.call('REPLICAOF', 'NO', 'ONE')
  assert.equal(await has(replica.redis, 'on-one'), 0, 'the replica never had it')
  await follow((await serve()).redis, replica.server)
  door.lead(replica.server.url)
  await until(async () => (await has(replica.redis, 'on-one')) === 1 && (await spooled()) === '0', 'it has come from the spool')
})

// The whole service on a Redis that is more than one server.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { readFeed } from '../support/feed.ts'
import { ops } from '../support/ops.ts'
import { type Many, startCluster, startSentinel } from '../support/redis-many.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { mergeRequestHook, verbs } from './flow.ts'

let stage: Stage
beforeEach(async () => {
  stage = await openStage()
})
afterEach(() => stage.close())

async function start(many: Many): Promise<{ ingest: Process; environment: Record<string, string> }> {
  const environment = { REDIS_URL: many.url, REDIS_PREFIX: `many-${many.servers.length}-${many.url.length}` }
  const [ingest] = await Promise.all([stage.start('ingest', environment), stage.start('worker', environment)])
  return { ingest, environment: { ...stage.environment, ...environment } }
}

async function take(ingest: Process, id: string, attributes: object): Promise<void> {
  const answer = await post(ingest, mergeRequestHook(stage, attributes), { 'idempotency-key': id })
  assert.equal(answer.status, 202)
}

test('on a Redis Cluster every effect happens, the feed is read, and the operator sees it', async () => {
  const cluster = await startCluster()
  stage.defer(() => cluster.stop())
  const { ingest, environment } = await start(cluster)
  const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`)
  await until(() => reader.comments.length > 0, 'the feed is open')
  await take(ingest, 'on-a-cluster', {})
  await until(() => verbs(stage, 1) === 'opened' && verbs(stage, 2) === 'opened', 'both tasks have their comment')
  await until(() => reader.messages.length === 1, 'the message is on the feed')
  reader.close()

  const resumed = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/?last_event_id=${reader.messages[0]?.id}`)
  await take(ingest, 'on-a-cluster-again', { action: 'close', state: 'closed' })
  await until(() => resumed.messages.length === 1, 'the next message is on the feed')
  resumed.close()
  await until(async () => (await ops(environment, 'explain', 'on-a-cluster-again')).code === 0, 'the journal has it')
  assert.equal((await ops(environment, 'status')).code, 0)
})

test('when the primary dies, deliveries are taken, and go on where Sentinel has moved Redis', async () => {
  const sentinel = await startSentinel()
  stage.defer(() => sentinel.stop())
  const { ingest } = await start(sentinel)
  await take(ingest, 'before-the-failover', {})
  await until(() => verbs(stage, 1) === 'opened', 'the first one has its comment')
  await sentinel.servers[0]?.stop()
  await take(ingest, 'without-a-primary', { action: 'close', state: 'closed' })
  await until(() => verbs(stage, 1) === 'opened closed', 'the second one has its comment')
  await take(ingest, 'after-the-failover', { action: 'merge', state: 'merged' })
  await until(() => verbs(stage, 1) === 'opened closed merged', 'the third one has its comment')
})

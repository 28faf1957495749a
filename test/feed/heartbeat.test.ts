import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Hono } from 'hono'
import { pino } from 'pino'
import { type Listener, listen } from '#shared/listener.ts'
import { openMetrics } from '#shared/metrics.ts'
import { openRelay } from '#shared/relay.ts'
import { feedRoute, heartbeatMs } from '../../apps/ingest/feed/route.ts'
import { followTail } from '../../apps/ingest/feed/tail.ts'
import { readFeed } from '../support/feed.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let listener: Listener
const goodbye = new AbortController()

before(async () => {
  stage = await openStage()
  const log = pino({ level: 'silent' })
  const history = openRelay({ redis: stage.redis, prefix: 'heartbeat' })
  const tailRedis = stage.redis.duplicate()
  const tail = followTail({ relay: openRelay({ redis: tailRedis, prefix: 'heartbeat' }), signal: goodbye.signal, log })
  const feed = feedRoute({ tail, history, signal: goodbye.signal, log, metrics: openMetrics(), heartbeat: 30 })
  const app = new Hono().all('/sse/', feed)
  listener = await listen({ fetch: app.fetch, host: '127.0.0.1', port: 0 })
  stage.defer(() => tailRedis.disconnect())
  stage.defer(() => listener.stop())
  stage.defer(() => goodbye.abort())
})
after(() => stage.close())

test('a stream without messages carries a comment from time to time', async () => {
  const reader = await readFeed(`http://127.0.0.1:${listener.port}/sse/`)
  await until(() => reader.comments.length > 3, 'there are several comments')
  assert.deepEqual(reader.messages, [])
  reader.close()
})

test('by default that is at least every twenty seconds', () => assert.ok(heartbeatMs <= 20_000))

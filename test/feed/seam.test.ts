// Where history and live messages meet: what was read from the history before the tail had it must not come again.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Hono } from 'hono'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { type Listener, listen } from '#shared/process/listener.ts'
import { openMetrics } from '#shared/process/metrics.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { openHistory } from '../../apps/ingest/feed/history.ts'
import { feedMetrics } from '../../apps/ingest/feed/metrics.ts'
import { feedRoute } from '../../apps/ingest/feed/route.ts'
import { followTail } from '../../apps/ingest/feed/tail.ts'
import { readFeed } from '../support/feed.ts'
import { openSlowRedis } from '../support/slow-redis.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let listener: Listener
const prefix = 'seam'
const goodbye = new AbortController()

before(async () => {
  stage = await openStage()
  const log = pino({ level: 'silent' })
  const metrics = openMetrics()
  const far = new Redis(await openSlowRedis(stage, 300), { maxRetriesPerRequest: null })
  const history = openHistory({ relay: openRelay({ redis: stage.redis, prefix }), journal: undefined, onRead: () => undefined })
  const tail = await followTail({ relay: openRelay({ redis: far, prefix }), signal: goodbye.signal, log })
  const limits = { connections: 10, connectionsPerAddress: 10, readerBytes: 100_000, patienceMs: 60_000 }
  const feed = feedRoute({ tail, history, limits, signal: goodbye.signal, log, metrics, measures: feedMetrics(metrics) })
  listener = await listen({ fetch: new Hono().all('/sse/', feed).fetch, host: '127.0.0.1', port: 0 })
  await until(() => tail.newest() !== undefined, 'the tail follows')
  stage.defer(() => far.disconnect())
  stage.defer(() => listener.stop())
  stage.defer(() => goodbye.abort())
})
after(() => stage.close())

test('a reader whom the history takes further than the tail gets each message once', async () => {
  const relay = openRelay({ redis: stage.redis, prefix })
  const cursors: string[] = []
  const publish = async () => void cursors.push((await relay.publish(`message-${cursors.length}`, '{}')).cursor)
  await publish()
  for (let round = 0; round < 5; round += 1) {
    for (let count = 0; count < 20; count += 1) await publish()
    const reader = await readFeed(`http://127.0.0.1:${listener.port}/sse/`, { 'last-event-id': cursors.at(-10) ?? '' })
    await until(() => reader.messages.some(({ id }) => id === cursors.at(-1)), 'it has the newest')
    await publish()
    await until(() => reader.messages.some(({ id }) => id === cursors.at(-1)), 'it has what is live')
    reader.close()
    assert.deepEqual(
      reader.messages.map(({ id }) => id),
      cursors.slice(-10),
    )
  }
})

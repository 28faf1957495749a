import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Hono } from 'hono'
import { pino } from 'pino'
import { type Listener, listen } from '#shared/process/listener.ts'
import { openMetrics } from '#shared/process/metrics.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { openHistory } from '../../apps/ingest/feed/history.ts'
import { feedMetrics } from '../../apps/ingest/feed/metrics.ts'
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
  const metrics = openMetrics()
  const history = openHistory({
    relay: openRelay({ redis: stage.redis, prefix: 'heartbeat' }),
    journal: undefined,
    onRead: () => undefined,
  })
  const tailRedis = stage.redis.duplicate()
  const tail = await followTail({ relay: openRelay({ redis: tailRedis, prefix: 'heartbeat' }), signal: goodbye.signal, log })
  const limits = { connections: 10, connectionsPerAddress: 10, readerBytes: 100_000, patienceMs: 60_000 }
  const measures = feedMetrics(metrics)
  const feed = feedRoute({ tail, history, limits, signal: goodbye.signal, log, metrics, measures, everyMs: 30 })
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

test('who asks from a time on and filters is never told a place that the feed does not have', async () => {
  const url = `http://127.0.0.1:${listener.port}/sse/?kind=push&since=${Date.now()}`
  const leaving = new AbortController()
  const response = await fetch(url, { signal: leaving.signal })
  let text = ''
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk)
  })().catch(() => undefined)
  await until(() => text.split('\n:\n').length > 4, 'there are several signs of life')
  leaving.abort()
  await reading
  const ids = [...text.matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id)
  for (const id of ids) {
    const reader = await readFeed(url, { 'last-event-id': id })
    await until(() => reader.comments.length > 1, 'the stream goes on')
    assert.deepEqual(reader.messages, [], id)
    reader.close()
  }
})

test('who filters is told from time to time how far the feed has come, which is no message but a place to come back to', async () => {
  const relay = openRelay({ redis: stage.redis, prefix: 'heartbeat' })
  const url = `http://127.0.0.1:${listener.port}/sse/`
  const all = await readFeed(url)
  const none = await readFeed(`${url}?kind=none`)
  const response = await fetch(`${url}?kind=none`)
  let text = ''
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk)
  })()
  const told = () => [...text.matchAll(/^id: (\d+-\d+)\n:\n\n/gm)].map(([, cursor = '']) => cursor)
  const { cursor } = await relay.publish('one', '{"object_kind":"push"}')
  await until(() => told().includes(cursor), 'it is told')
  const next = await relay.publish('two', '{"object_kind":"push"}')
  await until(() => told().includes(next.cursor), 'it is told again')
  const [first = ''] = told()
  assert.deepEqual(told(), [...new Set(told())], 'each place once')
  const whoComesBack = await readFeed(url, { 'last-event-id': first })
  await until(() => whoComesBack.messages.at(-1)?.id === next.cursor && all.messages.length === 2, 'the next one comes')
  assert.ok(whoComesBack.messages.every(({ event }) => event === undefined))
  assert.deepEqual(none.messages, [])
  for (const reader of [all, none, whoComesBack]) reader.close()
  goodbye.abort()
  await reading
})

test('by default that is at least every twenty seconds', () => assert.ok(heartbeatMs <= 20_000))

// What a reader that waits takes of the heap, beside one of plain node:http in the same process.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Session } from 'node:inspector/promises'
import { after, before, test } from 'node:test'
import { Hono } from 'hono'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { listen } from '#shared/process/listener.ts'
import { openMetrics } from '#shared/process/metrics.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { openHistory } from '../../apps/ingest/feed/history.ts'
import { feedMetrics } from '../../apps/ingest/feed/metrics.ts'
import { feedRoute } from '../../apps/ingest/feed/route.ts'
import { followTail } from '../../apps/ingest/feed/tail.ts'
import { startReaders } from '../bench/feed-readers.ts'
import { startRedis } from '../support/servers.ts'

const session = new Session()
const releases: Array<() => unknown> = []
const goodbye = new AbortController()

before(() => session.connect())
after(async () => {
  for (const release of releases.reverse()) await release()
  session.disconnect()
})

async function startFeed(): Promise<number> {
  const server = await startRedis()
  releases.push(() => server.stop())
  const [redis, tailRedis] = [new Redis(server.url), new Redis(server.url)]
  releases.push(() => [redis, tailRedis].map((connection) => connection.disconnect()))
  const relayOf = (connection: Redis) => openRelay({ redis: connection, prefix: 'waiting' })
  const log = pino({ level: 'silent' })
  const metrics = openMetrics()
  const tail = await followTail({ relay: relayOf(tailRedis), signal: goodbye.signal, log })
  const history = openHistory({ relay: relayOf(redis), journal: undefined, onRead: () => undefined })
  const limits = { connections: 1000, connectionsPerAddress: 1000, readerBytes: 100_000, patienceMs: 60_000 }
  const feed = feedRoute({ tail, history, limits, signal: goodbye.signal, log, metrics, measures: feedMetrics(metrics) })
  const listener = await listen({ fetch: new Hono().all('/sse/', feed).fetch, host: '127.0.0.1', port: 0 })
  releases.push(() => listener.stop())
  releases.push(() => goodbye.abort())
  return listener.port
}

async function startPlain(): Promise<number> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).write(':\n\n')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  releases.push(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** How many bytes of the heap each of many readers at `port` takes, after some that were there before. */
async function heapOfReader(port: number): Promise<number> {
  const open = (subscribers: number) => startReaders({ port, path: '/sse/', subscribers, messages: 1 })
  const few = await open(50)
  const start = await used()
  const many = await open(400)
  const bytes = ((await used()) - start) / 400
  await many.stop()
  await few.stop()
  return bytes
}

async function used(): Promise<number> {
  for (let round = 0; round < 2; round++) await session.post('HeapProfiler.collectGarbage')
  return process.memoryUsage().heapUsed
}

test('a reader that waits takes hardly more of the heap than one of plain node:http', async () => {
  const plain = await heapOfReader(await startPlain())
  const ours = await heapOfReader(await startFeed())
  assert.ok(ours < plain * 1.25, `${Math.round(ours)} bytes, and of plain node:http ${Math.round(plain)}`)
})

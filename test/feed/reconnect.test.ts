import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EventSource } from 'eventsource'
import { Redis } from 'ioredis'
import { readFeed } from '../support/feed.ts'
import { freePort } from '../support/ports.ts'
import { publisherOf } from '../support/relay.ts'
import { startRedis } from '../support/servers.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
})
after(() => stage.close())

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => ({ number: from + index }))
const texts = (from: number, to: number) => numbers(from, to).map((one) => JSON.stringify(one))

test('an EventSource goes on by itself after the server was restarted, and misses nothing', async () => {
  const publish = publisherOf(stage)
  const port = String(await freePort())
  const first = await stage.start('ingest', { PORT: port })
  const source = new EventSource(`http://127.0.0.1:${port}/sse/`)
  stage.defer(() => source.close())
  const data: string[] = []
  source.onmessage = ({ data: text }) => void data.push(String(text))
  await until(() => source.readyState === source.OPEN, 'it is open')

  await publish(numbers(0, 10))
  await until(() => data.length === 10, 'the first ones have come')
  assert.equal(await first.stop(), 0)
  await publish(numbers(10, 20))
  await stage.start('ingest', { PORT: port })
  await until(() => data.length === 20, 'those published meanwhile have come')
  await publish(numbers(20, 30))
  await until(() => data.length === 30, 'live ones come')
  assert.deepEqual(data, texts(0, 30))
})

test('ingest that started with Redis down serves the feed as soon as Redis is there', async () => {
  const port = await freePort()
  const ingest = await stage.start('ingest', { REDIS_URL: `redis://127.0.0.1:${port}` })
  const live = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`)
  const resuming = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`, { 'last-event-id': '0-0' })
  await until(() => [live, resuming].every(({ comments }) => comments.length > 0), 'the streams are open')

  const server = await startRedis({ port })
  const redis = new Redis(server.url)
  const publish = publisherOf({ redis, environment: stage.environment })
  await until(async () => {
    await publish([{ knock: true }])
    return live.messages.length > 0
  }, 'the feed is read')
  await publish(numbers(0, 20))
  const last = texts(0, 20).at(-1)
  await until(() => [live, resuming].every(({ messages }) => messages.at(-1)?.data === last), 'all have come')
  for (const { messages } of [live, resuming])
    assert.deepEqual(
      messages.map(({ data }) => data).filter((text) => !text.includes('knock')),
      texts(0, 20),
    )
  for (const reader of [live, resuming]) reader.close()
  redis.disconnect()
  await ingest.kill()
  await server.stop()
})

test('readers stay connected while Redis is restarted, and go on where they were', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-reconnect-'))
  stage.defer(() => rm(directory, { recursive: true }))
  const settings = ['--appendfsync', 'always']
  const server = await startRedis({ directory, settings })
  const ingest = await stage.start('ingest', { REDIS_URL: server.url })
  const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`, { 'last-event-id': '0-0' })
  const redis = new Redis(server.url).on('error', () => undefined)
  const publish = publisherOf({ redis, environment: stage.environment })
  await publish(numbers(0, 10))
  await until(() => reader.messages.length === 10, 'the first ones have come')

  await server.stop()
  const again = await startRedis({ port: server.port, directory, settings })
  await publish(numbers(10, 20))
  await until(() => reader.messages.length === 20, 'those after the restart have come')
  assert.deepEqual(
    reader.messages.map(({ data }) => data),
    texts(0, 20),
  )
  reader.close()
  redis.disconnect()
  await ingest.kill()
  await again.stop()
})

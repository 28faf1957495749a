// What anybody may do to the feed, against a process with the flags that are shipped: it stays small, and real deliveries
// are answered in time all the while.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { shippedFlags } from '../bench/shipped-flags.ts'
import { attack } from '../hostile/attack.ts'
import { publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { isInTime, waitOf } from '../support/wait.ts'

let stage: Stage
let ingest: Process
const sockets: Socket[] = []
const project = { path_with_namespace: 'a'.repeat(250), visibility_level: 20 }
const filler = 'x'.repeat(4000)

before(async () => {
  stage = await openStage({ FEED_CONNECTIONS_PER_ADDRESS: '5000' })
  ingest = await stage.start('ingest', {}, shippedFlags)
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await until(async () => (await metric('gitlab_webhooks_feed_subscribers')) === 0, 'all have left')
})
after(() => stage.close())

async function metric(name: string): Promise<number> {
  const { body } = await send({ port: ingest.port(), path: '/metrics', method: 'GET' })
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(body.toString())?.[1])
}

/** Asks for the feed, and reads what comes; `status` is that of the answer. */
async function reader(query: string): Promise<{ status: () => string | undefined; text: () => string }> {
  const socket = connect(ingest.port(), '127.0.0.1').on('error', () => undefined)
  sockets.push(socket)
  let text = ''
  socket.on('data', (bytes) => (text = `${text.slice(0, 200)}${text.slice(200).slice(-20_000)}${bytes.toString('latin1')}`))
  socket.write(`GET /sse/?${query} HTTP/1.1\r\nHost: feed.example\r\n\r\n`)
  await once(socket, 'connect')
  return { status: () => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1], text: () => text }
}

/** Some real deliveries, one after another, are answered in time. */
async function deliver(count = 10): Promise<void> {
  for (let number = 0; number < count; number++) {
    const wait = await waitOf(ingest.pid(), async () => {
      const { status } = await post(ingest, { object_kind: 'push', number }, { 'idempotency-key': `real-${performance.now()}` })
      assert.equal(status, 202)
    })
    assert.ok(isInTime(wait), JSON.stringify(wait))
  }
}

async function assertSmall(): Promise<void> {
  const megabytes = (await metric('process_resident_memory_bytes')) / 1024 / 1024
  assert.ok(megabytes < 512, `${megabytes} MiB`)
}

const longPatterns = (mark: number) => Array.from({ length: 20 }, (_, index) => `[!${'ab'.repeat(60)}]*${'a'.repeat(120)}${mark}-${index}`)

test('a thousand readers with long filters of their own take no more memory than is meant for filters', async () => {
  const readers = await Promise.all(
    Array.from({ length: 1000 }, (_, index) => reader(`project=${encodeURIComponent(longPatterns(index).join(','))}`)),
  )
  await until(() => readers.every(({ status }) => status() !== undefined), 'all have an answer')
  const refused = readers.filter(({ status }) => status() === '503')
  assert.ok(refused.length > 0 && refused.length < 900, `${refused.length} are refused`)
  assert.match(refused[0]?.text() ?? '', /\r\nretry-after: \d+\r\n/i)
  assert.ok((await metric('gitlab_webhooks_feed_filter_characters')) <= 2 * 1024 * 1024)
  await deliver()
  await assertSmall()
})

test('readers with equal filters share one', async () => {
  const query = `project=${encodeURIComponent(longPatterns(0).join(','))}`
  await reader(query)
  await until(async () => (await metric('gitlab_webhooks_feed_filter_characters')) > 0, 'one reads')
  const ofOne = await metric('gitlab_webhooks_feed_filter_characters')
  await Promise.all(Array.from({ length: 50 }, () => reader(query)))
  await until(async () => (await metric('gitlab_webhooks_feed_subscribers')) === 51, 'all read')
  assert.equal(await metric('gitlab_webhooks_feed_filter_characters'), ofOne)
})

test('patterns that repeat themselves, of a hundred readers, delay no delivery, and find what they mean', async () => {
  const patterns = (mark: number, count = 20) =>
    Array.from({ length: count }, (_, index) => `*${'a'.repeat(100)}Z${mark}-${index}`).join(',')
  for (let index = 0; index < 100; index++) await reader(`project=${patterns(index)}`)
  const whoFinds = await reader(`project=${patterns(100, 19)},*${'a'.repeat(200)}`)
  await until(() => whoFinds.status() === '200', 'all read along')
  const publish = publisherOf(stage, 'repeating')
  for (let round = 0; round < 3; round++) {
    await publish(Array.from({ length: 4 }, (_, number) => ({ object_kind: 'push', project, number })))
    await deliver(2)
  }
  const last = await publish([{ object_kind: 'push', project, last: true }])
  await until(() => whoFinds.text().includes(`id: ${last[0]}\ndata`), 'who means it gets it')
})

test('two hundred readers who begin at as many times in a long history delay no delivery, and catch up', async () => {
  const publish = publisherOf(stage, 'history')
  await publish(Array.from({ length: 800 }, () => ({ object_kind: 'push', meta: { dt: new Date().toISOString() }, filler })))
  const stop = await attack(ingest.port(), 700, ['many times'])
  try {
    for (let subscribers = 0; subscribers < 200; subscribers = await metric('gitlab_webhooks_feed_subscribers')) await deliver(1)
    await deliver(20)
    await assertSmall()
    await until(async () => (await metric('gitlab_webhooks_feed_messages_total')) > 200 * 800, 'all have caught up')
  } finally {
    await stop()
  }
})

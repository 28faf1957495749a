// Many readers, slow readers, readers that take nothing, and more readers than there is room for.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import type { Cursor } from '#shared/event/cursor.ts'
import { readFeed } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let ingest: Process
let publish: Publish
let cursors: Cursor[]

const limits = { FEED_PATIENCE: '5', FEED_READER_BYTES: '65536', FEED_CONNECTIONS: '1200' }
const filler = 'x'.repeat(1000)
const large = 'x'.repeat(60_000)
const backlog = 1000

before(async () => {
  stage = await openStage()
  publish = publisherOf(stage)
  cursors = await publish(Array.from({ length: backlog }, (_, number) => ({ number, filler })))
  ingest = await stage.start('ingest', limits)
})
after(() => stage.close())

async function metric(name: string): Promise<number> {
  const { body } = await send({ port: ingest.port(), path: '/metrics', method: 'GET' })
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(body.toString())?.[1])
}
const feedMetric = (name: string) => metric(`gitlab_webhooks_feed_${name}`)
const residentMegabytes = async () => (await metric('process_resident_memory_bytes')) / 1024 / 1024

async function connection(from: Cursor): Promise<Socket> {
  const socket = connect(ingest.port(), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`GET /sse/?last_event_id=${from} HTTP/1.0\r\nHost: x\r\n\r\n`)
  return socket
}

test('a thousand readers who come back at once, from hundreds of places, make no peak of memory', async () => {
  const before_ = await residentMegabytes()
  const reads = await feedMetric('history_reads_total')
  const end = Buffer.from(`"number":${backlog - 1},`)
  let arrived = 0
  const sockets = await Promise.all(
    Array.from({ length: 1000 }, async (_, index) => {
      const socket = await connection(cursors[index % 600] ?? '')
      const onData = (bytes: Buffer) => {
        if (!bytes.includes(end)) return
        arrived += 1
        socket.off('data', onData).resume()
      }
      return socket.on('data', onData)
    }),
  )
  let peak = 0
  await until(async () => {
    peak = Math.max(peak, await residentMegabytes())
    return arrived >= 990 // the mark may be cut in two
  }, 'they have the last one')
  for (const socket of sockets) socket.destroy()
  // Not what they miss, which is several hundred megabytes: their connections, and at most 64 KiB for each.
  assert.ok(peak - before_ < 250, `1000 readers with up to 1 MB before them cost ${peak - before_} MB`)
  assert.ok((await feedMetric('history_reads_total')) - reads < 1000, 'they share what is read')
})

test('a reader that takes nothing is let go in the end, and one that takes little is not', async () => {
  const letGo = await feedMetric('let_go_total')
  await publish(Array.from({ length: 250 }, () => ({ large })))
  const idle = await connection(cursors[0] ?? '')
  idle.on('error', () => undefined).pause()
  const slow = await connection(cursors[0] ?? '')
  let taken = 0
  slow.on('data', (bytes: Buffer) => {
    taken += bytes.length
    slow.pause()
  })
  const sipping = setInterval(() => slow.resume(), 100)
  await until(async () => (await feedMetric('lag_seconds')) > 0, 'somebody is behind')
  await until(async () => (await feedMetric('let_go_total')) > letGo, 'one is let go')
  idle.resume()
  await until(() => idle.closed, 'its stream is over')
  const sofar = taken
  // It may have had all there was by now.
  await publish(Array.from({ length: 10 }, () => ({ large })))
  await until(() => taken > sofar + 200_000, 'the slow one reads on')
  assert.equal(await feedMetric('let_go_total'), letGo + 1)
  const told = () => ingest.lines.filter(({ msg }) => msg?.startsWith('let go')).length
  await until(() => told() > 0, 'that is said')
  assert.equal(told(), 1)
  clearInterval(sipping)
  for (const socket of [idle, slow]) socket.destroy()
})

test('the measures count what is written to whom', async () => {
  await until(async () => (await feedMetric('subscribers')) === 0, 'nobody reads any more')
  const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/?last_event_id=1-1`)
  await until(() => reader.messages.length > 0, 'it reads')
  assert.equal(reader.messages[0]?.event, 'gap')
  assert.ok((await feedMetric('gaps_total')) >= 1)
  const [messages, bytes] = [await feedMetric('messages_total'), await feedMetric('bytes_total')]
  await until(() => reader.messages.length > backlog + 250, 'it has all')
  const count = await feedMetric('messages_total')
  await publish([{ number: 'one more' }])
  await until(async () => (await feedMetric('messages_total')) === count + 1, 'one more message')
  assert.ok(messages > 0 && (await feedMetric('bytes_total')) > bytes)
  reader.close()
})

// Readers that stop reading. The kernel takes a few megabytes for each; what comes after that would have to be kept by us.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { createParser } from 'eventsource-parser'
import type { Cursor } from '#shared/event/cursor.ts'
import { readFeed } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import { type Process, stopMs } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let ingest: Process
let publish: Publish

before(async () => {
  stage = await openStage()
  ingest = await stage.start('ingest')
  publish = publisherOf(stage)
})
after(() => stage.close())

const megabyte = 1024 * 1024
const filler = 'x'.repeat(60 * 1024)

type Stalled = { socket: Socket; ids: Cursor[]; last: () => string }
let stalled: Stalled[]

async function stalledReader(): Promise<Stalled> {
  const socket = connect(ingest.port(), '127.0.0.1')
  await once(socket, 'connect')
  const ids: Cursor[] = []
  const parser = createParser({ onEvent: ({ id = '' }) => void ids.push(id) })
  let headers = ''
  let last = ''
  socket.on('data', (bytes) => {
    last = `${last}${bytes.toString()}`.slice(-100)
    if (headers.includes('\r\n\r\n')) return parser.feed(bytes.toString())
    headers += bytes.toString()
    socket.pause()
  })
  socket.write('GET /sse/ HTTP/1.0\r\nHost: x\r\nLast-Event-ID: 0-0\r\n\r\n')
  await until(() => headers.includes('\n:\n\n'), 'it has begun to read')
  return { socket, ids, last: () => last }
}

async function residentMegabytes(): Promise<number> {
  const { body } = await send({ port: ingest.port(), path: '/metrics', method: 'GET' })
  return Number(/^process_resident_memory_bytes (\d+)/m.exec(body.toString())?.[1]) / megabyte
}

test('readers that stop reading cost little, delay nobody, and get everything when they read on', async () => {
  stalled = await Promise.all(Array.from({ length: 20 }, stalledReader))
  const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`, { 'last-event-id': '0-0' })
  await publish(Array.from({ length: 20 }, () => ({ filler })))
  await until(() => reader.messages.length === 20, 'the feed flows')

  const start = await residentMegabytes()
  const cursors: Cursor[] = reader.messages.map(({ id = '' }) => id)
  for (let round = 0; round < 25; round++) {
    cursors.push(...(await publish(Array.from({ length: 20 }, () => ({ filler })))))
    await until(() => reader.messages.length === cursors.length, 'the other reader has them')
  }
  const grown = (await residentMegabytes()) - start
  assert.ok(grown < 200, `20 readers that are 30 MB behind cost ${grown} MB`)
  assert.deepEqual(
    reader.messages.map(({ id }) => id),
    cursors,
  )
  reader.close()
  for (const { ids } of stalled) assert.equal(ids.length, 0)

  const slow = stalled.pop()
  assert.ok(slow)
  slow.socket.resume()
  await until(() => slow.ids.length === cursors.length, 'the slow reader has them, too')
  assert.deepEqual(slow.ids, cursors)
  slow.socket.destroy()
})

test('at the stop a slow reader gets the end of its stream, and those that do not read are not waited for', async () => {
  const slow = stalled.pop()
  assert.ok(slow)
  const start = performance.now()
  process.kill(ingest.pid(), 'SIGTERM')
  await until(() => performance.now() - start > 700, 'it has been stopping for a while')
  slow.socket.resume()
  assert.equal(await ingest.exit, 0)
  assert.ok(stopMs(ingest) < 10_000)
  await until(() => slow.socket.closed, 'the stream ends')
  assert.match(slow.last(), /\n\nretry: \d+\n\n$/)
  for (const { socket } of stalled) socket.destroy()
})

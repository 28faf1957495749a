// Many readers that take nothing for a while: what waits for all of them is bounded.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { shippedFlags } from '../bench/shipped-flags.ts'
import { readFeed } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let ingest: Process
let publish: Publish
const sockets: Socket[] = []
const large = 'x'.repeat(60_000)

before(async () => {
  stage = await openStage()
  ingest = await stage.start('ingest', { FEED_READER_BYTES: String(8 * 1024 * 1024) }, shippedFlags)
  publish = publisherOf(stage)
})
after(async () => {
  for (const socket of sockets) socket.destroy()
  await stage.close()
})

async function metric(name: string): Promise<number> {
  const { body } = await send({ port: ingest.port(), path: '/metrics', method: 'GET' })
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(body.toString())?.[1])
}

/** A reader of what comes from now on, that takes nothing until it is told to. */
function idle(): { socket: Socket; isClosed: () => boolean } {
  const socket = connect(ingest.port(), '127.0.0.1').on('error', () => undefined)
  sockets.push(socket.pause())
  let isClosed = false
  socket.on('close', () => {
    isClosed = true
  })
  socket.write(`GET /sse/ HTTP/1.1\r\nHost: feed.example\r\n\r\n`)
  return { socket, isClosed: () => isClosed }
}

test('readers that take nothing are let go when too much waits for all of them, and come back to their place', async () => {
  const readers = Array.from({ length: 150 }, idle)
  await until(async () => (await metric('gitlab_webhooks_feed_subscribers')) === readers.length, 'all read along')
  const cursors = await publish(Array.from({ length: 180 }, (_, count) => ({ count, large })))
  await until(async () => (await metric('gitlab_webhooks_feed_let_go_total')) > 0, 'some are let go')
  await until(async () => {
    const before = await metric('gitlab_webhooks_feed_let_go_total')
    return (await metric('gitlab_webhooks_feed_subscribers')) === readers.length - before
  }, 'the others stay')
  const letGo = await metric('gitlab_webhooks_feed_let_go_total')
  assert.ok(letGo < readers.length, 'not all of them')
  assert.ok((await metric('process_resident_memory_bytes')) < 512 * 1024 * 1024)
  const again = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`, { 'last-event-id': '0-0' })
  await until(() => again.messages.length === cursors.length, 'who comes back gets all')
  again.close()
})

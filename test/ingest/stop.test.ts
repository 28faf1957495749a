import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { openRelay } from '#shared/queue/relay.ts'
import { deliveriesOf } from '../support/deliveries.ts'
import { readFeed } from '../support/feed.ts'
import { hookText } from '../support/fixtures.ts'
import { freePort } from '../support/ports.ts'
import { publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import { startRedis } from '../support/servers.ts'
import { type Process, startProcess, stopMs } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
})
after(() => stage.close())

const body = hookText('push')

async function stopInTime(process_: Process, signal: NodeJS.Signals = 'SIGTERM', most = 10_000): Promise<void> {
  process.kill(process_.pid(), signal)
  assert.equal(await process_.exit, 0)
  const ms = stopMs(process_)
  assert.ok(ms < most, `stopped after ${ms} ms`)
}

type Client = { accepted: string[]; failures: string[]; gone: boolean }

// Sends one delivery after another over a connection that it keeps for as long as it may, until nobody is there.
async function sendWithoutEnd(port: number, name: string, client: Client): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let count = 0; !client.gone; count++) {
    const id = `${name}-${count}`
    const headers = { 'content-type': 'application/json', 'x-gitlab-token': stage.environment.SOURCE_TOKEN ?? '', 'idempotency-key': id }
    try {
      const { status } = await send({ port, path: '/hooks', headers, body, agent })
      if (status === 202) client.accepted.push(id)
      else client.failures.push(`${id}: ${status}`)
    } catch (error) {
      client.gone = true
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      if (code !== 'ECONNREFUSED') client.failures.push(`${id}: ${code}`)
    }
  }
  agent.destroy()
}

test('a stop under load answers every request that was sent, and what was accepted is in the queue', async () => {
  const ingest = await stage.start('ingest', { PORT: String(await freePort()) })
  const clients = Array.from({ length: 24 }, (): Client => ({ accepted: [], failures: [], gone: false }))
  const sending = clients.map((client, index) => sendWithoutEnd(ingest.port(), `client-${index}`, client))
  await until(() => clients.every(({ accepted }) => accepted.length >= 10), 'all clients are at it')
  await stopInTime(ingest)
  await Promise.all(sending)
  assert.deepEqual(
    clients.flatMap(({ failures }) => failures),
    [],
  )
  const queued = new Set(await deliveriesOf(stage).ids())
  const lost = clients.flatMap(({ accepted }) => accepted).filter((id) => !queued.has(id))
  assert.deepEqual(lost, [])
})

test('a request that is under way at the stop is answered, however slowly it comes', async () => {
  const ingest = await stage.start('ingest', { PORT: String(await freePort()) })
  const port = ingest.port()
  const refused = Promise.withResolvers<void>()
  async function* slowly() {
    yield Buffer.from('{"object_kind":')
    process.kill(ingest.pid(), 'SIGTERM')
    await until(() => isRefused(port), 'new connections are refused')
    refused.resolve()
    yield Buffer.from('"push"}')
  }
  const headers = { 'x-gitlab-token': stage.environment.SOURCE_TOKEN ?? '', 'idempotency-key': 'slow' }
  const agent = new Agent({ keepAlive: true })
  const answer = await send({ port, path: '/hooks', headers, chunks: slowly(), agent })
  await refused.promise
  assert.equal(answer.status, 202)
  assert.equal(answer.headers.connection, 'close')
  assert.equal(await ingest.exit, 0)
  await deliveriesOf(stage).taken('slow')
  agent.destroy()
})

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}

test('connections that carry nothing do not delay the stop', async () => {
  const ingest = await stage.start('ingest')
  const sockets = Array.from({ length: 3 }, () => connect(ingest.port(), '127.0.0.1'))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const agent = new Agent({ keepAlive: true })
  assert.equal((await send({ port: ingest.port(), path: '/healthz', method: 'GET', agent })).status, 200)
  await stopInTime(ingest, 'SIGTERM', 5000)
  for (const socket of sockets) socket.destroy()
  agent.destroy()
})

test('a reader that is behind, and a message that comes in the last moment, do not break the stop', async () => {
  const ingest = await stage.start('ingest', { FEED_READER_BYTES: '50000000' })
  const relay = openRelay({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })
  const publish = async (id: string) => await relay.publish(id, JSON.stringify({ filler: 'x'.repeat(20_000) }))
  const follower = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`)
  await until(() => follower.retries.length === 1, 'a reader follows')
  const stalled = connect(ingest.port(), '127.0.0.1')
  stalled.write('GET /sse/ HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(stalled, 'readable')
  for (let count = 0; count < 300; count += 1) await publish(`behind-${count}`)
  await until(() => follower.messages.length >= 300, 'all others have it')

  const stopped = stopInTime(ingest)
  await until(() => ingest.lines.some(({ msg }) => msg === 'stopping'), 'it is stopping')
  let ended = false
  void stopped.finally(() => (ended = true))
  for (let count = 0; !ended; count += 1) await publish(`late-${count}`)
  await stopped
  stalled.destroy()
})

test('an answer of the feed that has an end, and is under way at the stop, comes to that end', async () => {
  const publish = publisherOf(stage, 'whole')
  const cursors = await publish(Array.from({ length: 120 }, () => ({ filler: 'x'.repeat(60_000) })))
  const ingest = await stage.start('ingest')
  const path = `/sse/?last_event_id=${cursors[0]}&until=${cursors.at(-1)}`
  const asked = get({ port: ingest.port(), host: '127.0.0.1', path, headers: { accept: 'application/jsonl' } })
  const [answer]: IncomingMessage[] = await once(asked, 'response')
  assert.ok(answer)
  const stopped = stopInTime(ingest)
  await until(() => isRefused(ingest.port()), 'new connections are refused')
  const lines = (await text(answer)).trimEnd().split('\n')
  assert.deepEqual([lines.length, answer.complete], [cursors.length - 1, true])
  assert.match(lines.at(-1) ?? '', new RegExp(`"cursor":"${cursors.at(-1)}"`))
  await stopped
})

test('at the stop every stream of the feed is ended cleanly, with reconnect times that are spread', async () => {
  const ingest = await stage.start('ingest')
  const readers = await Promise.all(Array.from({ length: 10 }, () => readFeed(`http://127.0.0.1:${ingest.port()}/sse/`)))
  await until(() => readers.every(({ retries }) => retries.length === 1), 'all streams are open')
  await stopInTime(ingest, 'SIGINT', 5000)
  await Promise.all(readers.map(({ ended }) => ended))
  const times = readers.map(({ retries }) => retries.at(-1) ?? 0)
  for (const [index, ms] of times.entries()) {
    assert.equal(readers[index]?.retries.length, 2)
    assert.ok(ms >= 1000 && ms <= 11_000, `${ms} ms`)
  }
  assert.ok(new Set(times).size > 2, times.join())
})

test('a second signal does not cut a stop short', async () => {
  const ingest = await stage.start('ingest')
  process.kill(ingest.pid(), 'SIGTERM')
  process.kill(ingest.pid(), 'SIGINT')
  await stopInTime(ingest)
  assert.match(ingest.text(), /"msg":"stopped"/)
})

for (const app of ['ingest', 'worker'] as const) {
  test(`${app} stops in time while Redis hangs`, async () => {
    const redis = await startRedis()
    const started = await stage.start(app, { REDIS_URL: redis.url })
    const pid = await redis.pid()
    process.kill(pid, 'SIGSTOP')
    try {
      await stopInTime(started)
    } finally {
      process.kill(pid, 'SIGCONT')
      await redis.stop()
    }
  })

  test(`${app} stops in time with Redis down from the start`, async () => {
    const started = startProcess(app, { ...stage.environment, REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
    stage.defer(() => started.kill())
    await until(() => started.text().includes('starting'), 'it starts')
    await stopInTime(started)
  })
}

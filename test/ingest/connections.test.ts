// Whoever opens connections and says nothing on them keeps no delivery out, and has them not for long.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Deliveries, deliveriesOf } from '../support/deliveries.ts'
import { send } from '../support/request.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { head, openWire, type Wire } from '../support/wire.ts'

const descriptors = 300
let stage: Stage
let deliveries: Deliveries
let sent = 0

before(async () => {
  stage = await openStage()
  deliveries = deliveriesOf(stage)
})
after(() => stage?.close())

const small = () => stage.start('ingest', {}, [], descriptors)
const get = async (ingest: Process, path: string) => await send({ port: ingest.port(), path, method: 'GET' })

/** Each on a connection of its own, as GitLab opens them. */
async function deliver(ingest: Process): Promise<void> {
  const id = `real-${sent++}`
  const answer = await post(ingest, '{"object_kind":"push"}', { 'idempotency-key': id, connection: 'close' })
  assert.equal(answer.status, 202)
  await deliveries.taken(id)
}

/** Connections that say `text`, and those of them that are still open. */
async function crowd(ingest: Process, count: number, text: string): Promise<{ wires: Wire[]; open: () => Wire[] }> {
  const wires = await Promise.all(Array.from({ length: count }, () => openWire(ingest.port())))
  for (const wire of wires) if (text !== '') await wire.say(text)
  stage.defer(() => wires.forEach(hangUp))
  return { wires, open: () => wires.filter((wire) => !wire.isClosed()) }
}

function hangUp(wire: Wire): void {
  wire.hangUp()
}

const idle = {
  'say nothing': '',
  'send half a head': 'POST /hooks HTTP/1.1\r\nHost: x\r\nX-Gitlab-To',
  'ask once and then stay': head('GET /healthz'),
  'send a body that nobody wants': `${head('POST /hooks', { 'content-length': 1000 })}{`,
}
for (const [what, text] of Object.entries(idle)) {
  test(`four hundred connections that ${what} keep no delivery out, with 300 descriptors`, async () => {
    const ingest = await small()
    const { wires, open } = await crowd(ingest, 400, text)
    for (let count = 0; count < 20; count++) await deliver(ingest)
    assert.equal((await get(ingest, '/readyz')).status, 200)
    await until(() => open().length < descriptors, 'the others are closed')
    assert.doesNotMatch(ingest.text(), /EMFILE|"level":"error"/)
    wires.forEach(hangUp)
    await ingest.kill()
  })
}

test('readers of the feed leave connections to the hooks', async () => {
  const ingest = await small()
  const { wires } = await crowd(ingest, 200, head('GET /sse/'))
  await until(() => wires.every((wire) => wire.status() !== undefined), 'all are answered')
  const statuses = Map.groupBy(wires, (wire) => wire.status())
  assert.deepEqual(new Set(statuses.keys()), new Set([200, 503]))
  const readers = statuses.get(200) ?? []
  assert.ok(readers.length > 50 && readers.length < 120, `${readers.length}`)
  await crowd(ingest, 200, '')
  for (let count = 0; count < 20; count++) await deliver(ingest)
  assert.ok(
    readers.every((wire) => !wire.isClosed()),
    'nobody who reads must go',
  )
  const metrics = (await get(ingest, '/metrics')).body.toString()
  assert.ok(Number(/^gitlab_webhooks_connections_closed_total (\d+)/m.exec(metrics)?.[1]) > 50)
  await ingest.kill()
})

test('a connection on which nothing is said, or half a head, is closed within seconds', async () => {
  const ingest = await stage.start('ingest')
  const wires = await Promise.all([openWire(ingest.port()), openWire(ingest.port()), openWire(ingest.port())])
  const [, half, second] = wires
  await half.say('GET /healthz HTTP/1.1\r\nHost:')
  await second.say(`${head('GET /healthz')}GET /heal`)
  await until(() => wires.every((wire) => wire.isClosed()), 'they are closed, long before a whole request would have to be there', 50_000)
  assert.equal(second.status(), 200)
})

test('a connection that was used stays open for the next request', async () => {
  const ingest = await stage.start('ingest')
  const wire = await openWire(ingest.port())
  const silent = await openWire(ingest.port())
  await wire.say(head('GET /healthz'))
  await until(() => silent.isClosed(), 'one that was not is closed')
  await wire.say(head('GET /healthz'))
  await until(() => wire.heard().split('HTTP/1.1 200').length === 3, 'it is answered again')
  wire.hangUp()
})

test('a body that nobody wants is not read to its end', async () => {
  const ingest = await stage.start('ingest')
  for (const more of [{ 'content-length': 25 * 1024 * 1024 }, { 'transfer-encoding': 'chunked' }]) {
    const wire = await openWire(ingest.port())
    await wire.say(head('POST /hooks', more))
    await until(() => wire.status() === 401, 'it is refused')
    await until(() => wire.isClosed(), 'the connection is closed')
  }
})

test('who sends many requests without waiting for answers is cut off', async () => {
  const ingest = await stage.start('ingest')
  const few = await openWire(ingest.port())
  await few.say(head('GET /healthz').repeat(10))
  await until(() => few.heard().split('HTTP/1.1 200').length === 11, 'ten are answered')
  const many = await openWire(ingest.port())
  await many.say(head('GET /healthz').repeat(500))
  await until(() => many.isClosed(), 'the connection is closed')
  assert.ok(many.heard().split('HTTP/1.1 200').length <= 18)
  await deliver(ingest)
  few.hangUp()
})

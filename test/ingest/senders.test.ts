// What real senders do, on the wire: GitLab never sends again, so whatever can be understood is taken.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Deliveries, deliveriesOf } from '../support/deliveries.ts'
import { send } from '../support/request.ts'
import { type Process, sourceToken } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { head, openWire } from '../support/wire.ts'

let stage: Stage
let ingest: Process
let deliveries: Deliveries
const token = { 'x-gitlab-token': sourceToken }
const body = '{"object_kind":"push"}'

before(async () => {
  stage = await openStage()
  ingest = await stage.start('ingest')
  deliveries = deliveriesOf(stage)
})
after(() => stage?.close())

test('/hooks/ is /hooks', async () => {
  const answer = await send({ port: ingest.port(), path: '/hooks/', headers: { ...token, 'idempotency-key': 'slash' }, body })
  assert.equal(answer.status, 202)
  assert.equal((await deliveries.taken('slash')).body, body)
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await send({ port: ingest.port(), path: '/hooks/', method })
    assert.deepEqual([status, headers.allow], [405, 'POST'], method)
  }
  assert.equal((await send({ port: ingest.port(), path: '/hooks/', body })).status, 401)
})

for (const more of [{}, { connection: 'close' }, { 'transfer-encoding': 'chunked' }]) {
  test(`a sender that closes its half of the connection after the body is answered: ${JSON.stringify(more)}`, async () => {
    const id = `half-${JSON.stringify(more).length}`
    const isChunked = 'transfer-encoding' in more
    const wire = await openWire(ingest.port())
    const length = isChunked ? {} : { 'content-length': body.length }
    await wire.say(head('POST /hooks', { ...token, 'idempotency-key': id, ...length, ...more }))
    await wire.say(isChunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body)
    wire.end()
    await until(() => wire.isClosed(), 'the connection is closed')
    assert.match(wire.heard(), /^HTTP\/1\.1 202 [\s\S]*\r\n\r\n\{"id":"half-\d+"\}$/)
    await deliveries.taken(id)
  })
}

test('a probe that closes its half of the connection is answered, also where that takes a while', async () => {
  const wire = await openWire(ingest.port())
  await wire.say(head('GET /readyz'))
  wire.end()
  await until(() => wire.isClosed(), 'the connection is closed')
  assert.equal(wire.status(), 200)
})

test('a sender that closes its half before the body is whole has sent nothing', async () => {
  const count = await deliveries.count()
  const wire = await openWire(ingest.port())
  await wire.say(head('POST /hooks', { ...token, 'content-length': 100 }))
  await wire.say(body)
  wire.end()
  await until(() => wire.isClosed(), 'the connection is closed')
  assert.equal(await deliveries.count(), count)
})

test('a reader of the feed that closes its half of the connection leaves its slot', async () => {
  const readers = async () => {
    const { body: text } = await send({ port: ingest.port(), path: '/metrics', method: 'GET' })
    return Number(/^gitlab_webhooks_feed_subscribers (\d+)/m.exec(text.toString())?.[1])
  }
  const wire = await openWire(ingest.port())
  await wire.say(head('GET /sse/'))
  await until(() => wire.heard().includes('retry:'), 'the stream is open')
  assert.equal(await readers(), 1)
  wire.end()
  await until(async () => (await readers()) === 0, 'nobody reads')
  await until(() => wire.isClosed(), 'the connection is closed')
})

test('a reader that closes its half is given an answer of the feed that has an end, in full', async () => {
  const wire = await openWire(ingest.port())
  await wire.say(head('GET /sse/?limit=3', { accept: 'application/x-ndjson' }))
  wire.end()
  await until(() => wire.isClosed(), 'the connection is closed')
  assert.match(wire.heard(), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n0\r\n\r\n$/)
})

const codings: Array<[string, number]> = [
  ['gzip', 415],
  ['deflate', 415],
  ['br', 415],
  ['identity, gzip', 415],
  ['nonsense', 415],
  ['identity', 202],
  ['Identity', 202],
  ['', 202],
]
for (const [coding, status] of codings) {
  test(`a Content-Encoding of "${coding}" is answered with ${status}`, async () => {
    const count = await deliveries.count()
    const headers = { ...token, 'content-encoding': coding, 'idempotency-key': `coding-${coding}` }
    const answer = await send({ port: ingest.port(), path: '/hooks', headers, body })
    assert.equal(answer.status, status)
    if (status === 202) await deliveries.taken(`coding-${coding}`)
    assert.equal(await deliveries.count(), count + (status === 202 ? 1 : 0))
    if (status === 415) assert.equal(answer.headers['accept-encoding'], 'identity')
  })
}

test('who has no token is not told which encodings are understood', async () => {
  assert.equal((await send({ port: ingest.port(), path: '/hooks', headers: { 'content-encoding': 'gzip' }, body })).status, 401)
})

const asking = { expect: '100-continue', 'content-length': body.length }

test('a sender that asks before it sends its body is told to', async () => {
  const wire = await openWire(ingest.port())
  await wire.say(head('POST /hooks', { ...token, ...asking, 'idempotency-key': 'asked' }))
  await until(() => wire.heard() === 'HTTP/1.1 100 Continue\r\n\r\n', 'it is invited')
  await wire.say(body)
  await until(() => wire.heard().includes('{"id":"asked"}'), 'it is answered')
  wire.hangUp()
})

const uninvited: Array<[string, Record<string, string | number>, number]> = [
  ['whose token is wrong', { ...asking, 'x-gitlab-token': 'wrong' }, 401],
  ['without a token', asking, 401],
  ['whose body is too large', { ...asking, ...token, 'content-length': 26 * 1024 * 1024 }, 413],
  ['whose body is encoded', { ...asking, ...token, 'content-encoding': 'gzip' }, 415],
]
for (const [who, headers, status] of uninvited) {
  test(`a sender ${who} that asks before it sends its body is refused at once`, async () => {
    const wire = await openWire(ingest.port())
    await wire.say(head('POST /hooks', headers))
    await until(() => wire.status() !== undefined, 'it is answered')
    assert.equal(wire.status(), status)
    assert.doesNotMatch(wire.heard(), /100 Continue/)
    await until(() => wire.isClosed(), 'the connection is closed: what comes next would be taken for the body')
    wire.hangUp()
  })
}

test('what asks before a request without a taker is answered', async () => {
  const wire = await openWire(ingest.port())
  await wire.say(head('PUT /hooks', asking))
  await until(() => wire.status() === 405, 'it is answered')
  wire.hangUp()
})

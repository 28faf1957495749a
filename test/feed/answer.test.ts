import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { openRelay } from '#shared/queue/relay.ts'
import { type Reader, readFeed } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let port: number
let publish: Publish

before(async () => {
  stage = await openStage()
  port = (await stage.start('ingest')).port()
  publish = publisherOf(stage)
})
after(() => stage.close())

async function open(path = '/sse/', headers: Record<string, string> = {}): Promise<Reader> {
  const reader = await readFeed(`http://127.0.0.1:${port}${path}`, headers)
  stage.defer(reader.close)
  return reader
}

/** A reader that has seen the feed go by, so that what is published from now on is live. */
async function listening(path?: string): Promise<Reader> {
  const reader = await open(path)
  await until(async () => {
    await publish([{ knock: true }])
    return reader.messages.length > 0
  }, 'it reads along')
  return reader
}

for (const path of ['/sse', '/sse/']) {
  test(`GET ${path} answers at once with an event stream that nobody may buffer or cache`, async () => {
    const { response, comments, retries } = await open(path)
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream(; charset=utf-8)?$/)
    assert.equal(response.headers.get('cache-control'), 'no-cache, no-transform')
    assert.equal(response.headers.get('x-accel-buffering'), 'no')
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
    assert.equal(response.headers.get('content-length'), null)
    await until(() => comments.length > 0 && retries.length > 0, 'the first bytes come without any message')
  })

  test(`HEAD ${path} answers the headers and ends`, async () => {
    const { status, headers, body } = await send({ port, path, method: 'HEAD' })
    assert.equal(status, 200)
    assert.match(headers['content-type'] ?? '', /^text\/event-stream/)
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.equal(body.length, 0)
  })

  test(`OPTIONS ${path} lets every page of the web read the feed`, async () => {
    const asked = {
      origin: 'https://example.org',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'last-event-id',
    }
    const { status, headers } = await send({ port, path, method: 'OPTIONS', headers: asked })
    assert.equal(status, 204)
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.match(headers['access-control-allow-methods'] ?? '', /GET/)
    assert.match(headers['access-control-allow-headers'] ?? '', /(^|, )last-event-id(,|$)/i)
    assert.match(headers['access-control-allow-headers'] ?? '', /(^|, )authorization(,|$)/i)
    assert.match(headers['access-control-expose-headers'] ?? '', /(^|, )retry-after(,|$)/i)
  })

  for (const method of ['POST', 'PUT', 'DELETE', 'TRACE']) {
    test(`${method} ${path} is answered with 405 and what is allowed instead`, async () => {
      const { status, headers } = await send({ port, path, method })
      assert.equal(status, 405)
      assert.match(headers.allow ?? '', /GET/)
    })
  }
}

const badCursors = ['', 'nonsense', '1', '1-', '-1', '1-1-1', '1-1 ', '$', '+', '1.5-0', '٣-٣', `${'9'.repeat(16)}-0`, '0-99999999999']
test('a cursor of a wrong form is refused with a reason in JSON', async () => {
  for (const cursor of badCursors) {
    const { status, headers, body } = await send({ port, path: `/sse/?last_event_id=${encodeURIComponent(cursor)}`, method: 'GET' })
    assert.equal(status, 400, cursor)
    assert.match(headers['content-type'] ?? '', /^application\/json/)
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.match(body.toString(), /"error":"last_event_id: /)
  }
  const { status } = await send({ port, path: '/sse/', method: 'GET', headers: { 'last-event-id': 'nonsense' } })
  assert.equal(status, 400)
})

test('a message is an id and one line of data, without an event', async () => {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (bytes) => (text += bytes.toString()))
  await once(socket, 'connect')
  socket.write('GET /sse/ HTTP/1.0\r\nHost: x\r\n\r\n')
  await until(() => text.includes('\n:\n\n'), 'the first bytes come')
  assert.match(text, /^HTTP\/1\.1 200 /)
  assert.match(text, /\r\n\r\nretry: \d+\n:\n\n$/)
  text = ''
  const [cursor] = await until(async () => {
    const cursors = await publish([{ text: 'line\nbreak\r\u2028💥' }])
    return text === '' ? undefined : cursors
  }, 'a message comes')
  await until(() => text.includes(`id: ${cursor}\n`), 'the last one comes')
  for (const message of text.split('\n\n').slice(0, -1)) assert.match(message, /^id: \d+-\d+\ndata: \{"text":"line\\nbreak\\r\u2028💥"\}$/)
  socket.destroy()
})

test('a live message comes with the cursor under which it was published', async () => {
  const reader = await listening()
  const seen = reader.messages.length
  const [first, second] = await publish([{ number: 1 }, { number: 2 }])
  await until(() => reader.messages.some(({ id }) => id === second), 'both have come')
  assert.deepEqual(reader.messages.slice(-2), [
    { id: first, event: undefined, data: '{"number":1}' },
    { id: second, event: undefined, data: '{"number":2}' },
  ])
  assert.ok(reader.messages.length >= seen + 2)
})

test('a client of HTTP/1.0 gets the messages as they are, without chunks', async () => {
  await publish([{ version: 'past' }])
  const socket = connect(port, '127.0.0.1')
  stage.defer(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  socket.write('GET /sse/?since=0 HTTP/1.0\r\n\r\n')
  await until(() => text.includes('"past"'), 'the past has come')
  await publish([{ version: 'live' }])
  await until(() => text.includes('"live"'), 'what is live has come')
  const [head = '', body = ''] = text.split(/\r\n\r\n/)
  assert.doesNotMatch(head, /transfer-encoding/i)
  assert.match(body, /^retry: \d+\n:\n\n(id: \d+-\d+\ndata: [^\n]*\n\n)+$/)
})

test('a delivery that is published again is not another message', async () => {
  const reader = await listening()
  const relay = openRelay({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })
  const place = await relay.publish('twice', '{"time":1}')
  assert.deepEqual(await relay.publish('twice', '{"time":2}'), place)
  const [last] = await publish([{ end: true }])
  await until(() => reader.messages.some(({ id }) => id === last), 'the end has come')
  assert.deepEqual(
    reader.messages.filter(({ data }) => data.includes('"time"')).map(({ data }) => data),
    ['{"time":1}'],
  )
})

test('any message comes out of a parser as it was published', async () => {
  const reader = await listening()
  const odd = fc.constantFrom('\r\n', '\n\n', 'data: x', ':', 'id: 1', '\u0000', '\ufeff', '\u2029', '\ud800', 'event: gap\n', '')
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(odd).map((parts) => parts.join('')),
  )
  const message = fc.dictionary(text, fc.oneof(fc.jsonValue(), text), { maxKeys: 5 })
  const comesOut = async (messages: unknown[]) => {
    const texts = messages.map((one) => JSON.stringify(one))
    const last = (await publish(messages)).at(-1)
    await until(() => reader.messages.some(({ id }) => id === last), 'all have come')
    const got = reader.messages.splice(0)
    assert.deepEqual(
      got.map(({ data }) => data).filter((data) => data !== '{"knock":true}'),
      texts,
    )
    assert.ok(got.every(({ event }) => event === undefined))
  }
  await fc.assert(fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), comesOut), { numRuns: 60 })
})

test('the metrics count who reads the feed', async () => {
  const count = async () => {
    const { body } = await send({ port, path: '/metrics', method: 'GET' })
    return Number(/^gitlab_webhooks_feed_subscribers (\d+)/m.exec(body.toString())?.[1])
  }
  const before_ = await count()
  const readers = [await open(), await open()]
  assert.equal(await count(), before_ + 2)
  for (const reader of readers) reader.close()
  await until(async () => (await count()) === before_, 'those who left do not count')
})

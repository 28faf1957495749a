// The feed as lines of JSON: the same messages as the events, whoever asks for them, and however.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Cursor } from '#shared/event/cursor.ts'
import { preferredOf, prefersGzip } from '../../apps/ingest/feed/accept.ts'
import { formTypes } from '../../apps/ingest/feed/form.ts'
import { type LineReader, readFeed, readLines } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let port: number
let publish: Publish
const all: Array<{ cursor: Cursor; body: object }> = []

before(async () => {
  stage = await openStage()
  publish = publisherOf(stage)
  port = (await stage.start('ingest')).port()
  await more(20)
})
after(() => stage.close())

async function more(count: number): Promise<void> {
  const bodies = Array.from({ length: count }, (_, index) => {
    const number = all.length + index
    return { number, object_kind: number % 2 === 0 ? 'push' : 'note', meta: { id: `d${number}`, dt: new Date().toISOString() } }
  })
  const cursors = await publish(bodies)
  all.push(...bodies.map((body, index) => ({ body, cursor: cursors[index] ?? '' })))
}

async function open(query: string, headers: Record<string, string> = {}): Promise<LineReader> {
  const reader = await readLines(`http://127.0.0.1:${port}/sse/?${query}`, headers)
  stage.defer(reader.close)
  return reader
}

const messages = ({ lines }: LineReader) => lines.filter((line) => line !== '').map((line): unknown => JSON.parse(line))
const expected = (from = 0) =>
  all.slice(from).map(({ body, cursor }) => ({ ...body, meta: { ...('meta' in body && Object(body.meta)), cursor } }))

test('each line is the message of the event, with its cursor in meta, from the past and live alike', async () => {
  const reader = await open('last_event_id=earliest')
  const events = await readFeed(`http://127.0.0.1:${port}/sse/?last_event_id=earliest`)
  stage.defer(events.close)
  await until(() => messages(reader).length === all.length && events.messages.length === all.length, 'the past is there')
  await more(5)
  await until(() => messages(reader).length === all.length && events.messages.length === all.length, 'what is live is there')
  assert.deepEqual(messages(reader), expected())
  assert.deepEqual(
    events.messages.map(({ id, data }) => [id, JSON.parse(data)]),
    all.map(({ cursor, body }) => [cursor, body]),
  )
  assert.equal(reader.lines[0], '', 'the first byte comes at once')
})

test('filters and cursors mean the same', async () => {
  const filtered = await open('kind=push&last_event_id=earliest')
  const resumed = await open('', { 'last-event-id': all[7]?.cursor ?? '' })
  const wanted = expected().filter((_, index) => index % 2 === 0)
  await until(() => messages(filtered).length === wanted.length && messages(resumed).length === all.length - 8, 'all are there')
  assert.deepEqual(messages(filtered), wanted)
  assert.deepEqual(messages(resumed), expected(8))
})

test('a gap is a line', async () => {
  const reader = await open('last_event_id=999999999999999-0')
  await until(() => messages(reader).length > 0, 'it is told')
  assert.deepEqual(messages(reader), [{ meta: { gap: { from: '999999999999999-0', to: all.at(-1)?.cursor } } }])
})

test('whatever a message is, its line is the same with the cursor in meta', async () => {
  const reader = await open('')
  const meta = fc.option(fc.dictionary(fc.constantFrom('id', 'x', 'y'), fc.oneof(fc.string(), fc.jsonValue())), { nil: undefined })
  const odd = fc.constantFrom('","meta":{', '}}', '{', '\\', '\n', '💥')
  const text = fc.array(fc.oneof(fc.string(), odd)).map((parts) => parts.join(''))
  const message = fc.record({
    body: fc.dictionary(fc.oneof(fc.constantFrom('meta', 'a', 'z'), text), fc.oneof(fc.jsonValue(), text)),
    meta,
  })
  const comesOut = async (given: Array<{ body: object; meta: object | undefined }>) => {
    const bodies = given.map((one) => ({ ...one.body, ...(one.meta && { meta: one.meta }) }))
    const cursors = await publish(bodies)
    all.push(...bodies.map((body, index) => ({ body, cursor: cursors[index] ?? '' })))
    const last = `"cursor":"${cursors.at(-1)}"`
    await until(() => reader.lines.some((line) => line.includes(last)), 'all have come')
    const got = reader.lines.splice(0).filter((line) => line !== '')
    const wanted = bodies.map((body, index) => {
      const { meta: own, ...rest } = { meta: {}, ...body }
      const isOwn = typeof own === 'object' && own !== null && !Array.isArray(own)
      return JSON.stringify({ ...rest, meta: { ...(isOwn && own), cursor: cursors[index] } })
    })
    assert.deepEqual(
      got.map((line): unknown => JSON.parse(line)),
      wanted.map((line): unknown => JSON.parse(line)),
    )
  }
  await fc.assert(fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), comesOut), { numRuns: 40 })
})

for (const type of ['application/x-ndjson', 'application/jsonl'])
  test(`Accept: ${type} is answered with that type, also on HEAD`, async () => {
    const reader = await open('', { accept: type })
    const { headers } = await send({ port, path: '/sse', method: 'HEAD', headers: { accept: type } })
    for (const told of [reader.response.headers.get('content-type'), headers['content-type']]) assert.equal(told, `${type}; charset=utf-8`)
    assert.equal(headers.vary, 'Accept')
  })

test('who takes neither form is answered with 406 and a reason', async () => {
  for (const method of ['GET', 'HEAD']) {
    const { status, headers, body } = await send({ port, path: '/sse/', method, headers: { accept: 'application/json, text/html;q=0.9' } })
    assert.equal(status, 406)
    assert.equal(headers['access-control-allow-origin'], '*')
    if (method === 'GET')
      assert.match(JSON.parse(body.toString()).error, /^Accept: expected one of text\/event-stream, application\/x-ndjson/)
  }
})

const [events, ndjson, jsonl] = formTypes
for (const [accept, type] of [
  [undefined, events],
  ['', events],
  ['*/*', events],
  ['text/*', events],
  ['text/event-stream', events],
  ['Text/Event-Stream ; charset=utf-8', events],
  ['text/html, application/xhtml+xml, */*;q=0.8', events],
  ['application/json, text/plain, */*', events],
  ['application/x-ndjson', ndjson],
  ['application/jsonl', jsonl],
  ['application/*', ndjson],
  ['*/*, application/jsonl', jsonl],
  ['application/jsonl;q=0.5, text/event-stream;q=0.4', jsonl],
  ['application/jsonl;q=0.5,text/event-stream;q=0.6', events],
  ['text/event-stream;q=0, */*', ndjson],
  ['application/jsonl;q=0, application/x-ndjson;q=0.0, */*;q=0.1', events],
  ['application/json', undefined],
  ['text/event-stream;q=0', undefined],
  ['*/*;q=0', undefined],
  ['nonsense', undefined],
] as const)
  test(`Accept: ${accept} is ${type}`, () => assert.equal(preferredOf(formTypes, accept), type))

for (const [encodings, isWanted] of [
  [undefined, false],
  ['', false],
  ['gzip', true],
  ['br, gzip;q=0.5', true],
  ['*', true],
  ['gzip;q=0, *', false],
  ['identity, gzip;q=0.5', false],
  ['deflate, br', false],
] as const)
  test(`Accept-Encoding: ${encodings} ${isWanted ? 'asks' : 'does not ask'} for gzip`, () => assert.equal(prefersGzip(encodings), isWanted))

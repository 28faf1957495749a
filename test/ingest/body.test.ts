import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type Deliveries, deliveriesOf } from '../support/deliveries.ts'
import { send } from '../support/request.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const limit = 25 * 1024 * 1024
let stage: Stage
let ingest: Process
let deliveries: Deliveries
let token: { 'x-gitlab-token': string }

before(async () => {
  stage = await openStage()
  ingest = await stage.start('ingest')
  deliveries = deliveriesOf(stage)
  token = { 'x-gitlab-token': stage.environment.SOURCE_TOKEN ?? '' }
})
after(() => stage.close())

const blank = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 })
const escaped = fc.integer({ min: 0, max: 0xffff }).map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
const odd = fc.constantFrom(
  '\\u0000',
  '\\ud800',
  '\\/',
  '\\"',
  '\\\\',
  '\\b',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\u007f',
  '💥',
  'e\u0301',
  '__proto__',
)
const plain = fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => JSON.stringify(text).slice(1, -1))
const string = fc.array(fc.oneof(escaped, odd, plain), { maxLength: 4 }).map((parts) => `"${parts.join('')}"`)
const number = fc.constantFrom('0', '-0', '1e400', '1E-7', '0.10', '12345678901234567890', '1.0000000000000000001')
const { object } = fc.letrec<{ value: string; object: string; list: string; pair: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.constantFrom('true', 'null'), number, string, tie('object'), tie('list')),
  pair: fc
    .tuple(blank, fc.oneof(fc.constant('"twice"'), string), blank, tie('value'))
    .map(([a, key, b, value]) => `${a}${key}${b}:${value}`),
  object: fc.tuple(blank, fc.array(tie('pair'), { maxLength: 4 }), blank).map(([a, pairs, b]) => `${a}{${pairs.join(',') || b}}${b}`),
  list: fc.tuple(blank, fc.array(tie('value'), { maxLength: 4 }), blank).map(([a, values, b]) => `[${values.join(`${a},`) || b}]`),
}))

test('a body is kept to the byte, however oddly its JSON is written', async () => {
  let count = 0
  const keepsIt = async (body: string) => {
    assert.equal(typeof JSON.parse(body), 'object')
    const id = `odd-${count++}`
    assert.equal((await post(ingest, body, { 'idempotency-key': id })).status, 202)
    assert.equal((await deliveries.taken(id)).body, body)
  }
  await fc.assert(fc.asyncProperty(object, keepsIt), {
    numRuns: 150,
    examples: [
      ['{"twice":1,"twice":2}'],
      ['{"__proto__":{"object_kind":"push"}}'],
      ['{"":"\\ud83d"}'],
      [`{"a":${'['.repeat(9999)}${']'.repeat(9999)}}`],
    ],
  })
})

test('a body that comes byte by byte is kept whole', async () => {
  const body = Buffer.from('{"object_kind":"püsh 💥"}')
  const chunks = Array.from(body, (byte) => Uint8Array.of(byte))
  const answer = await send({ port: ingest.port(), path: '/hooks', headers: { ...token, 'idempotency-key': 'bytewise' }, chunks })
  assert.equal(answer.status, 202)
  assert.equal((await deliveries.taken('bytewise')).body, body.toString())
})

// Incompressible, so that it is as large on every way it goes.
const whole = Buffer.from(
  `{"pad":"${randomBytes(limit)
    .toString('base64')
    .slice(0, limit - 10)}"}`,
)

test('a body of 25 MiB is taken', async () => {
  assert.equal(whole.length, limit)
  const headers = { ...token, 'idempotency-key': 'largest' }
  const answer = await send({ port: ingest.port(), path: '/hooks', headers, body: whole })
  assert.equal(answer.status, 202)
  const kept = await deliveries.taken('largest')
  assert.ok(kept.body === whole.toString())
})

async function tooLarge(request: Parameters<typeof send>[0]): Promise<void> {
  const answer = await send(request).catch((error: NodeJS.ErrnoException) => error)
  if (answer instanceof Error) assert.match(answer.code ?? '', /^(ECONNRESET|EPIPE)$/)
  else assert.equal(answer.status, 413)
}

test('a body that says it is larger than 25 MiB is refused without being read', async () => {
  const socket = connect(ingest.port(), '127.0.0.1')
  let answer = ''
  socket.on('data', (bytes) => (answer += bytes.toString()))
  socket.write(`POST /hooks HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: ${token['x-gitlab-token']}\r\nContent-Length: ${limit + 1}\r\n\r\n`)
  await until(() => answer.includes('\r\n\r\n'), 'there is an answer although nothing of the body was sent')
  assert.match(answer, /^HTTP\/1.1 413 /)
  await until(() => socket.readableEnded || socket.destroyed, 'the connection is closed')
  socket.destroy()
})

test('a body that grows beyond 25 MiB while it is sent is refused and not enqueued', async () => {
  const count = await deliveries.count()
  const port = ingest.port()
  await tooLarge({
    port,
    path: '/hooks',
    headers: { ...token, 'idempotency-key': 'grows' },
    chunks: [whole.subarray(0, -1), Buffer.from(' '.repeat(100)), whole],
  })
  await tooLarge({ port, path: '/hooks', headers: { ...token, 'idempotency-key': 'says' }, body: Buffer.alloc(limit + 1, ' ') })
  assert.equal(await deliveries.count(), count)
  assert.equal(await deliveries.find('grows'), undefined)
})

test('a body that never ends does not make the process grow', async () => {
  const rss = async () => {
    const { body } = await send({ port: ingest.port(), path: '/metrics', method: 'GET' })
    return Number(/^process_resident_memory_bytes (\d+)/m.exec(body.toString())?.[1])
  }
  const before_ = await rss()
  let sent = 0
  async function* endless() {
    const chunk = Buffer.alloc(1024 * 1024, ' ')
    while (sent < 400) {
      sent++
      yield chunk
    }
  }
  await tooLarge({ port: ingest.port(), path: '/hooks', headers: token, chunks: endless() })
  assert.ok((await rss()) - before_ < 150e6, 'not all of it is in memory')
})

test('a sender that goes away in the middle of a body leaves nothing behind', async () => {
  const count = await deliveries.count()
  const socket = connect(ingest.port(), '127.0.0.1')
  socket.write(`POST /hooks HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: ${token['x-gitlab-token']}\r\nContent-Length: 1000\r\n\r\n{"a":1}`, () =>
    socket.destroy(),
  )
  await until(() => socket.closed, 'it is gone')
  assert.equal((await post(ingest, '{}', { 'idempotency-key': 'after' })).status, 202)
  await deliveries.taken('after')
  assert.equal(await deliveries.count(), count + 1)
  assert.ok(!ingest.text().includes('"level":"error"'), 'that is no error of ours')
})

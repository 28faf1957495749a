import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Deliveries, deliveriesOf } from '../support/deliveries.ts'
import { hook, hookText } from '../support/fixtures.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'

let stage: Stage
let ingest: Process
let deliveries: Deliveries

before(async () => {
  stage = await openStage({ SOURCE_TOKEN_OLD: 'the-former-token' })
  ingest = await stage.start('ingest')
  deliveries = deliveriesOf(stage)
})
after(() => stage.close())

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const open = hook('merge-request-open')

async function accepted(body: string | object, headers: Record<string, string> = {}): Promise<string> {
  const response = await post(ingest, body, headers)
  assert.equal(response.status, 202)
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  const answer: unknown = await response.json()
  assert.ok(answer !== null && typeof answer === 'object' && 'id' in answer && typeof answer.id === 'string')
  assert.deepEqual(Object.keys(answer), ['id'])
  const { id } = answer
  const kept = await deliveries.taken(id)
  assert.equal(kept.body, typeof body === 'string' ? body : JSON.stringify(body))
  return id
}

test('a delivery is known by its Idempotency-Key', async () => {
  assert.equal(await accepted(open, { 'idempotency-key': 'key-1', 'webhook-id': 'webhook-1' }), 'key-1')
})

test('a delivery without an Idempotency-Key is known by its webhook-id', async () => {
  assert.equal(await accepted(open, { 'webhook-id': 'webhook-2' }), 'webhook-2')
  assert.equal(await accepted(open, { 'webhook-id': 'webhook-3', 'idempotency-key': '' }), 'webhook-3')
})

test('a delivery without any id is known by a hash of its raw body and its kind', async () => {
  const text = hookText('push')
  const id = await accepted(text)
  assert.match(id, /^[0-9a-f]{64}$/)
  assert.equal(id, await accepted(text), 'the same one again')
  assert.notEqual(id, await accepted(`${text} `), 'another body')
})

test('X-Gitlab-Event-UUID and X-Gitlab-Webhook-UUID do not make a delivery another one', async () => {
  const text = hookText('tag-push')
  const id = await accepted(text, { 'x-gitlab-event-uuid': 'one', 'x-gitlab-webhook-uuid': 'one' })
  const count = await deliveries.count()
  assert.equal(await accepted(text, { 'x-gitlab-event-uuid': 'two', 'x-gitlab-webhook-uuid': 'two' }), id)
  assert.equal(await deliveries.count(), count)
})

const awkward = { 'all digits': '0', 'more digits': '1234567890', colons: 'a:b:c', slashes: '../x/%2F', quotes: '"\'{}[]$', dots: '..' }
for (const [name, id] of Object.entries(awkward)) {
  test(`an id of ${name} is kept as it is`, async () => {
    assert.equal(await accepted(open, { 'idempotency-key': id }), id)
    const count = await deliveries.count()
    assert.equal(await accepted(open, { 'idempotency-key': id }), id)
    assert.equal(await deliveries.count(), count)
  })
}

test('an id that is too long or not plain ASCII is replaced by its hash', async () => {
  for (const id of ['x'.repeat(201), 'x'.repeat(300), 'naïve', 'with blanks in it', 'with\ttab'])
    assert.equal(await accepted(open, { 'idempotency-key': id }), sha256(id))
  assert.equal(await accepted(open, { 'idempotency-key': 'x'.repeat(200) }), 'x'.repeat(200))
})

test('a repeat of a delivery is accepted like the first and enqueued once', async () => {
  const count = await deliveries.count()
  const repeats = Array.from({ length: 20 }, () => accepted(open, { 'idempotency-key': 'many-times' }))
  assert.deepEqual(new Set(await Promise.all(repeats)), new Set(['many-times']))
  assert.equal(await deliveries.count(), count + 1)
})

test('different deliveries are enqueued each, in the order of their answers', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `in-order-${index}`)
  for (const name of names) await accepted(open, { 'idempotency-key': name })
  assert.deepEqual((await deliveries.ids()).slice(-10), names)
})

const kinds = {
  'a kind that nobody acts on': { object_kind: 'wiki_page' },
  'a kind that nobody knows': { event_name: 'brand_new_event' },
  'no kind': {},
  'a kind that is no text': { object_kind: 7, event_name: ['push'] },
  'an empty kind': { object_kind: '', event_name: '' },
  'names of Object.prototype': { constructor: 1, toString: 2, hasOwnProperty: 3 },
}
for (const [name, body] of Object.entries(kinds)) {
  test(`a delivery with ${name} is accepted`, async () => void (await accepted(body, { 'idempotency-key': `kind-${name.length}` })))
}

test('a delivery with SOURCE_TOKEN_OLD is accepted', async () => {
  await accepted(open, { 'x-gitlab-token': 'the-former-token', 'idempotency-key': 'with-the-former-token' })
})

test('what came along as a secret is kept nowhere', async () => {
  const secrets = { 'x-gitlab-token': stage.environment.SOURCE_TOKEN ?? '', authorization: 'Bearer secret-1', cookie: 'session=secret-2' }
  const id = await accepted(open, {
    ...secrets,
    'idempotency-key': 'secretive',
    'webhook-signature': 'v1,secret-3',
    'x-gitlab-event': 'Hook',
  })
  const kept = await deliveries.taken(id)
  assert.equal(kept.headers['x-gitlab-event'], 'Hook')
  assert.equal(kept.headers['idempotency-key'], 'secretive')
  assert.deepEqual(
    Object.keys(kept.headers).filter((name) => /token|authorization|cookie|signature/.test(name)),
    [],
  )
  assert.doesNotMatch(JSON.stringify(kept), /secret-\d|the-source-token|the-former-token/)
  assert.doesNotMatch(ingest.text(), /secret-\d|the-source-token|the-former-token/)
})

test('a delivery is kept with the time at which it came', async () => {
  const from = Date.now()
  const kept = await deliveries.taken(await accepted(open, { 'idempotency-key': 'now' }))
  const received = new Date(kept.receivedAt)
  assert.equal(received.toISOString(), kept.receivedAt)
  assert.ok(received.getTime() >= from && received.getTime() <= Date.now())
})

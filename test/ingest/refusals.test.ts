import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Deliveries, deliveriesOf } from '../support/deliveries.ts'
import { send } from '../support/request.ts'
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

async function refused(status: number, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<void> {
  const count = await deliveries.count()
  const all = { 'content-type': 'application/json', 'x-gitlab-token': stage.environment.SOURCE_TOKEN ?? '', ...headers }
  const response = await send({ port: ingest.port(), path: '/hooks', headers: all, body })
  assert.equal(response.status, status)
  const answer: unknown = JSON.parse(response.body.toString())
  assert.ok(answer !== null && typeof answer === 'object' && 'error' in answer && typeof answer.error === 'string')
  assert.equal(await deliveries.count(), count, 'nothing was enqueued')
}

for (const [name, token] of Object.entries({
  wrong: 'nonsense',
  empty: '',
  'too short': 'the-source-token-of-the-sandbo',
  'two at once': 'the-former-token, the-former-token',
})) {
  test(`a delivery whose token is ${name} is refused and not enqueued`, () => refused(401, '{}', { 'x-gitlab-token': token }))
}

test('a delivery without a token is refused, whatever its body is', async () => {
  for (const body of ['{}', '', 'no JSON', Buffer.alloc(100_000, 0xff)]) {
    const count = await deliveries.count()
    const response = await send({ port: ingest.port(), path: '/hooks', body })
    assert.equal(response.status, 401)
    assert.equal(await deliveries.count(), count)
  }
})

const noObjects = {
  'an empty body': '',
  'only blanks': ' \n ',
  'an array': '[{}]',
  null: 'null',
  'a number': '1',
  'a string': '"{}"',
  'broken JSON': '{"object_kind": "push"',
  'two objects': '{}{}',
  'a form': 'object_kind=push',
  'only a byte order mark': '\ufeff',
  'two byte order marks': '\ufeff\ufeff{}',
  'a byte order mark after a blank': ' \ufeff{}',
  'invalid UTF-8': Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
  'a surrogate in UTF-8': Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
  'UTF-16': Buffer.from('{}', 'utf16le'),
}
for (const [name, body] of Object.entries(noObjects)) {
  test(`${name} instead of a JSON object is refused and not enqueued`, () => refused(400, body))
}

for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
  test(`${method} is answered with 405 and what is allowed instead`, async () => {
    const headers = { 'x-gitlab-token': stage.environment.SOURCE_TOKEN ?? '' }
    const response = await send({ port: ingest.port(), path: '/hooks', method, headers })
    assert.equal(response.status, 405)
    assert.equal(response.headers.allow, 'POST')
  })
}

test('the metrics count deliveries by kind and answer', async () => {
  assert.equal((await post(ingest, { object_kind: 'merge_request' })).status, 202)
  assert.equal((await post(ingest, { event_name: 'brand_new_event' })).status, 202)
  const text = (await send({ port: ingest.port(), path: '/metrics', method: 'GET' })).body.toString()
  assert.match(text, /^gitlab_webhooks_deliveries_total\{kind="merge_request",status="202"\} [1-9]\d*$/m)
  assert.match(text, /^gitlab_webhooks_deliveries_total\{kind="other",status="202"\} 1$/m)
  assert.match(text, /^gitlab_webhooks_deliveries_total\{kind="unread",status="401"\} [1-9]\d*$/m)
  assert.doesNotMatch(text, /brand_new_event/)
})

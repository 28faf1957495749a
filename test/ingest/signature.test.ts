// Signed hooks, with the vectors of the Standard Webhooks specification, and through the front door.
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { isSigningKey } from '#shared/process/signing.ts'
import { signatureCheck } from '../../apps/ingest/hooks/signature.ts'
import { deliveriesOf } from '../support/deliveries.ts'
import { startProcess } from '../support/service.ts'
import { signingKey as key, signed } from '../support/sign.ts'
import { openStage, post, type Stage } from '../support/stage.ts'

const vector = {
  body: Buffer.from('{"test": 2432232314}'),
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  now: 1_614_265_330_000,
}
const begin = signatureCheck(() => key)

function isSigned(headers: IncomingHttpHeaders, body: Buffer, now: number): boolean {
  const check = begin(headers, now)
  for (const byte of body) check?.update(Buffer.of(byte))
  return check?.isRight() === true
}

test('the published vector is accepted, also among other signatures', () => {
  const { headers, body, now } = vector
  assert.ok(isSigned(headers, body, now))
  const several = `v2,xxxx v1,AAAA ${headers['webhook-signature']}`
  assert.ok(isSigned({ ...headers, 'webhook-signature': several }, body, now))
})

test('whatever is changed, the signature does not fit any more', () => {
  const { headers, body, now } = vector
  const right = headers['webhook-signature']
  const wrong: Array<[object, Buffer?, number?]> = [
    [{ 'webhook-id': 'msg_other' }],
    [{ 'webhook-timestamp': '1614265331' }],
    [{ 'webhook-signature': right.replace('v1', 'v2') }],
    [{ 'webhook-signature': right.replace('g0h', 'g1h') }],
    [{ 'webhook-signature': '' }],
    [{ 'webhook-signature': 'v1,' }],
    [{ 'webhook-id': undefined }],
    [{ 'webhook-timestamp': 'soon' }],
    [{}, Buffer.from('{"test": 2432232315}')],
    [{}, body, now + 5 * 60_000 + 1000],
    [{}, body, now - 5 * 60_000 - 1000],
  ]
  for (const [change, other = body, at = now] of wrong) assert.ok(!isSigned({ ...headers, ...change }, other, at), JSON.stringify(change))
})

test('no made-up signature is accepted, and none breaks the check', () => {
  const { headers, body, now } = vector
  fc.assert(
    fc.property(
      fc.string(),
      (signature) => signature === headers['webhook-signature'] || !isSigned({ ...headers, 'webhook-signature': signature }, body, now),
    ),
  )
})

test('a signing key has the form that GitLab shows', () => {
  assert.ok(isSigningKey(key))
  for (const wrong of ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_', 'whsec_short', `${key}!`]) assert.ok(!isSigningKey(wrong), wrong)
})

let stage: Stage
before(async () => {
  stage = await openStage({ SOURCE_SIGNING_KEY: key })
})
after(() => stage?.close())

const unknown = { 'x-gitlab-token': '' }

test('a request with a signature is judged by that alone, one without by its token', async () => {
  const ingest = await stage.start('ingest')
  const body = JSON.stringify({ object_kind: 'push', ref: 'refs/heads/größer' })
  const answer = await post(ingest, body, { ...signed(body, 'signed-1'), ...unknown })
  assert.equal(answer.status, 202)
  assert.deepEqual(await answer.json(), { id: 'signed-1' })
  assert.equal((await post(ingest, `${body} `, { ...signed(body, 'signed-2'), ...unknown })).status, 401, 'another body')
  assert.equal((await post(ingest, body, signed('another', 'signed-3'))).status, 401, 'a good token does not help a bad signature')
  assert.equal((await post(ingest, body)).status, 202, 'no signature, a good token')
})

test('a signing key of another form is a mistake of the configuration', async () => {
  const refused = startProcess('ingest', { ...stage.environment, SOURCE_SIGNING_KEY: 'my-secret-key' })
  assert.equal(await refused.exit, 78)
  assert.match(refused.text(), /SOURCE_SIGNING_KEY: expected whsec_/)
  assert.doesNotMatch(refused.text(), /my-secret-key/)
})

test('of a signed request only webhook-id tells which delivery it is', async () => {
  const ingest = await stage.start('ingest')
  const deliveries = deliveriesOf(stage)
  const body = '{"object_kind":"push","captured":true}'
  const captured = signed(body, 'captured')
  const count = await deliveries.count()
  for (const key of ['a', 'b', 'c', 'captured', '']) {
    const answer = await post(ingest, body, { ...captured, ...unknown, 'idempotency-key': key })
    assert.deepEqual([answer.status, await answer.json()], [202, { id: 'captured' }])
  }
  const kept = await deliveries.taken('captured')
  assert.equal(await deliveries.count(), count + 1)
  assert.deepEqual([kept.headers['webhook-id'], kept.headers['idempotency-key']], ['captured', undefined])

  await post(ingest, body, { ...captured, ...unknown, 'idempotency-key': 'still-to-come' })
  const real = '{"object_kind":"push","real":true}'
  assert.equal((await post(ingest, real, { ...signed(real, 'still-to-come'), ...unknown })).status, 202)
  assert.equal((await deliveries.taken('still-to-come')).body, real)
})

test('where a signature is required a token alone is not enough', async () => {
  const ingest = await stage.start('ingest', { SIGNATURE_REQUIRED: 'true' })
  const body = '{"object_kind":"push"}'
  const refused = await post(ingest, body, { 'idempotency-key': 'unsigned' })
  assert.equal(refused.status, 401)
  assert.equal(await deliveriesOf(stage).find('unsigned'), undefined)
  assert.equal((await post(ingest, body, { ...signed(body, 'required'), ...unknown })).status, 202)
  assert.equal((await post(ingest, body, { ...signed('other', 'required'), ...unknown })).status, 401)
})

test('to require a signature without a key is a mistake of the configuration', async () => {
  const { SOURCE_SIGNING_KEY: _, ...environment } = stage.environment
  const refused = startProcess('ingest', { ...environment, SIGNATURE_REQUIRED: 'true' })
  assert.equal(await refused.exit, 78)
  assert.match(refused.text(), /SIGNATURE_REQUIRED: expected SOURCE_SIGNING_KEY/)
})

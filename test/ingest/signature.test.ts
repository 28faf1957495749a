// Signed hooks, with the vectors of the Standard Webhooks specification, and through the front door.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { isSigningKey, signatureCheck } from '../../apps/ingest/signature.ts'
import { startProcess } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'

const key = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const vector = {
  body: Buffer.from('{"test": 2432232314}'),
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  now: 1_614_265_330_000,
}
const isSigned = signatureCheck(() => key)

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

function signed(body: string, id: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const secret = Buffer.from(key.slice(6), 'base64')
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}`, 'x-gitlab-token': '' }
}

test('a request with a signature is judged by that alone, one without by its token', async () => {
  const ingest = await stage.start('ingest')
  const body = JSON.stringify({ object_kind: 'push', ref: 'refs/heads/größer' })
  const answer = await post(ingest, body, signed(body, 'signed-1'))
  assert.equal(answer.status, 202)
  assert.deepEqual(await answer.json(), { id: 'signed-1' })
  assert.equal((await post(ingest, `${body} `, signed(body, 'signed-2'))).status, 401, 'another body')
  const { 'x-gitlab-token': _, ...withToken } = signed('another', 'signed-3')
  assert.equal((await post(ingest, body, withToken)).status, 401, 'a good token does not help a bad signature')
  assert.equal((await post(ingest, body)).status, 202, 'no signature, a good token')
})

test('a signing key of another form is a mistake of the configuration', async () => {
  const refused = startProcess('ingest', { ...stage.environment, SOURCE_SIGNING_KEY: 'my-secret-key' })
  assert.equal(await refused.exit, 78)
  assert.match(refused.text(), /SOURCE_SIGNING_KEY: expected whsec_/)
  assert.doesNotMatch(refused.text(), /my-secret-key/)
})

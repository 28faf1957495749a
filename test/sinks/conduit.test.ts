// Phabricator's Conduit: what is sent, what each of its answers means, and finding one's own comments again.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import { redactor } from '#shared/process/log.ts'
import { type Conduit, openConduit } from '#sinks/phabricator/conduit.ts'
import { calls } from '../fixtures/conduit/calls.ts'
import { edits } from '../fixtures/conduit/edits.ts'
import type { Meaning } from '../fixtures/conduit/row.ts'
import { searches } from '../fixtures/conduit/searches.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { seed } from '../sandbox/seed.ts'
import { type Given, startAnswering } from '../support/answers.ts'
import { fenceOf } from '../support/fence.ts'

const { signal } = new AbortController()
const allowed = fenceOf()
const token = 'api-secretsecretsecretsecretse'
const open = (url: string): Conduit => openConduit({ url, token: () => token, redact: redactor([token]) })
const error = (code: string, info: string): Given => ({ body: { result: null, error_code: code, error_info: info } })
const core = (info: string) => error('ERR-CONDUIT-CORE', info)
const html = (status: number): Given => ({ status, body: '<!DOCTYPE html><title>Woe</title>' })

async function meaning(given: Given): Promise<Meaning> {
  await using remote = await startAnswering(given)
  return await open(remote.url)
    .comment(3, 'text', signal, allowed)
    .then(() => assert.fail('It went through.'), whatOf)
}

function whatOf(thrown: unknown): Meaning {
  assert.ok(thrown instanceof Error)
  assert.ok(!thrown.message.includes(token), thrown.message)
  if (thrown instanceof Refused) return 'refused'
  if (thrown instanceof Unavailable) return 'down'
  return thrown instanceof Permanent ? 'never' : 'again'
}

describe('the meaning of', () => {
  const rows: Array<[what: string, answer: Given, meaning: Meaning]> = [
    ['a token nobody has', error('ERR-INVALID-AUTH', `API token "${token}" is not valid.`), 'refused'],
    ['an expired token', error('ERR-INVALID-AUTH', `API token "${token}" was previously valid, but has expired.`), 'refused'],
    ['a disabled account', error('ERR-INVALID-AUTH', 'User account is not permitted to use the API.'), 'refused'],
    ['no token', error('ERR-INVALID-SESSION', 'Session key is not present.'), 'refused'],
    ['no such task', core('Monogram "T9999" does not identify a valid object.'), 'never'],
    ['no such object', core('No object exists with PHID "PHID-TASK-aaaaaaaaaaaaaaaaaaaa".'), 'never'],
    ['a task we may not see', core('[You Shall Not Pass: Restricted Maniphest Task] (Can View) You do not have permission.'), 'never'],
    ['a task whose comments are locked', core('[You Shall Not Pass: T16] (Can Interact) You do not have permission.'), 'never'],
    ['read-only mode', core('Unable to establish a write-mode connection (to "x") because this server is in read-only mode.'), 'down'],
    ['a broken call', core('Exception when processing transaction of type "comment": Error while reading "value".'), 'never'],
    ['unknown parameters', error('ERR-CONDUIT-CALL', 'API Method "maniphest.edit" does not define these parameters: \'foo\'.'), 'never'],
    ['an unknown method', error('ERR-CONDUIT-CALL', 'Conduit API method "maniphest.edit" does not exist.'), 'never'],
    ['an error nobody has seen', core('#1205: Lock wait timeout exceeded; try restarting transaction'), 'again'],
    ['a code nobody has seen', error('ERR-NEW', 'Something new.'), 'again'],
    [
      'a status 500 with an answer in it',
      { ...core('Attempting to construct a query using a non-utf8 string when utf8 is expected.'), status: 500 },
      'never',
    ],
    ['a status 500 with a page', html(500), 'down'],
    ['a status 200 with a page', html(200), 'down'],
    ['a status 404 with a page', html(404), 'down'],
    ['a redirect', { status: 302, headers: { location: '/login' } }, 'down'],
    ['too many requests', { status: 429, body: 'TOO MANY REQUESTS' }, 'down'],
    ['a call that is too large', html(413), 'never'],
    ['a bad gateway', html(502), 'down'],
    ['half an answer', { body: '{"result": {"obj' }, 'down'],
    ['an empty answer', {}, 'down'],
    ['JSON that is no answer', { body: [1] }, 'down'],
    ['a result of an unknown shape', { body: { result: { object: 1 }, error_code: null, error_info: null } }, 'again'],
    ['a comment that was not made', { body: { result: { transactions: [] }, error_code: null, error_info: null } }, 'never'],
  ]
  for (const [what, answer, expected] of rows) {
    test(`${what} is "${expected}"`, async () => assert.equal(await meaning(answer), expected))
  }
})

describe('each error that Phorge is known to answer means', () => {
  for (const { what, answer, meaning: expected } of [...calls, ...edits, ...searches]) {
    if (expected === undefined) continue
    test(`${expected}: ${what}`, async () => {
      assert.ok(!('fields' in answer))
      assert.equal(await meaning('status' in answer ? html(answer.status) : error(...answer.error)), expected)
    })
  }
})

test('a remote that is none says in its own words what it is', async () => {
  const said = async (given: Given) => {
    await using remote = await startAnswering(given)
    return await open(remote.url)
      .whoami(signal)
      .then(() => '', String)
  }
  const page = '<!DOCTYPE html>\n<html>\n<head><title>Site Not Found</title><style>body { color: red }</style></head><body></body></html>'
  assert.match(await said({ status: 500, body: page }), /Phabricator answers 500 without a Conduit answer in it: "Site Not Found"\.$/)
  const untitled = `<html><style>b {}</style><h1>Log  in</h1> with ${token} first${'.'.repeat(200)}</html>`
  assert.match(await said({ body: untitled }), /: "Log in with \[secret\] first\.{80,100}…"\.$/)
  assert.match(await said({ status: 500, body: 'no page' }), /without a Conduit answer in it\.$/)
  assert.match(
    await said(core('Monogram "T9" does not identify a valid object.')),
    /No such task, or our account may not see it\. Phabricator says ERR-CONDUIT-CORE: Monogram "T9" does not identify/,
  )
})

test('a comment is a form with the task, the text and the token, and nothing else', async () => {
  await using remote = await startAnswering({
    body: { result: { transactions: [{ phid: 'PHID-XACT-1' }] }, error_code: null, error_info: null },
  })
  assert.equal(await open(remote.url).comment(3, 'ä&%\n"', signal, allowed), 'PHID-XACT-1')
  const [asked] = remote.asked
  assert.ok(asked)
  assert.deepEqual(
    [asked.method, asked.path, asked.headers['content-type']],
    ['POST', '/api/maniphest.edit', 'application/x-www-form-urlencoded'],
  )
  assert.equal(asked.headers.authorization, undefined)
  const form = new URLSearchParams(asked.body)
  assert.deepEqual([...form.keys()], ['params'])
  assert.deepEqual(JSON.parse(form.get('params') ?? ''), {
    objectIdentifier: 'T3',
    transactions: [{ type: 'comment', value: 'ä&%\n"' }],
    __conduit__: { token },
  })
})

test('without a task nothing is asked, since that would create one', async () => {
  await using remote = await startAnswering()
  for (const task of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
    await assert.rejects(open(remote.url).comment(task, 'text', signal, allowed), Permanent)
    await assert.rejects(open(remote.url).ownComments(task, new Date(0), signal), (thrown) => thrown instanceof Error)
  }
  assert.ok(remote.asked.every(({ path }) => path === '/api/user.whoami'))
})

test('the id of a comment is that of the comment, also when the account is subscribed by it', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { phabricator } = sandbox
  const account = phabricator.addAccount('person')
  const conduit = openConduit({ url: phabricator.url, token: () => account.token, redact: (text) => text })
  const made = await conduit.comment(1, 'by a person', signal, allowed)
  const [own] = await conduit.ownComments(1, new Date(0), signal)
  assert.deepEqual([own?.phid, own?.text], [made, 'by a person'])
})

test('own comments are found with the texts they were written with, newest first, and nobody else’s', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { phabricator } = sandbox
  const conduit = openConduit({ url: phabricator.url, token: () => phabricator.token, redact: (text) => text })
  const made = [await conduit.comment(1, 'first', signal, allowed), await conduit.comment(1, 'second\n\n%%%[a] b%%%', signal, allowed)]
  phabricator.addComment(1, 'of alice', 'alice')
  phabricator.addComment(2, 'elsewhere')
  const [transaction] = phabricator.task(1).transactions
  assert.ok(transaction)
  phabricator.editComment(transaction, 'edited')
  const own = await conduit.ownComments(1, new Date(0), signal)
  assert.deepEqual(
    own.map(({ phid, text }) => [phid, text]),
    [
      [made[1], 'second\n\n%%%[a] b%%%'],
      [made[0], 'first'],
    ],
  )
  assert.ok(own.every(({ at }) => Math.abs(Date.now() - at.getTime()) < 60_000))
})

test('own comments are read to the last page, and no further back than asked', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { phabricator } = sandbox
  const long = Math.floor(Date.now() / 1000) - 1000
  for (let index = 0; index < 250; index++) phabricator.addComment(1, `comment ${index}`).dateCreated = long + index
  const conduit = openConduit({ url: phabricator.url, token: () => phabricator.token, redact: (text) => text })
  const searches = () => phabricator.requests.filter(({ path }) => path === '/api/transaction.search').length
  assert.equal((await conduit.ownComments(1, new Date(0), signal)).length, 250)
  assert.equal(searches(), 3)
  const late = await conduit.ownComments(1, new Date((long + 200) * 1000), signal)
  assert.ok(late.some(({ text }) => text === 'comment 200'))
  assert.equal(searches(), 4)
  assert.equal(phabricator.requests.filter(({ path }) => path === '/api/user.whoami').length, 1)
})

test('who we are is asked again when the first answer was an error', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { phabricator } = sandbox
  const conduit = openConduit({ url: phabricator.url, token: () => phabricator.token, redact: (text) => text })
  phabricator.fault({ kind: 'refuse', times: 1 })
  await assert.rejects(conduit.ownComments(1, new Date(0), signal), Unavailable)
  assert.deepEqual(await conduit.ownComments(1, new Date(0), signal), [])
})

for (const release of ['2026-08', '2025.51'] as const) {
  test(`looking for comments on a task that is not there can never succeed (${release})`, async () => {
    await using sandbox = await startSandbox()
    seed(sandbox)
    sandbox.phabricator.state.release = release
    const { url } = sandbox.phabricator
    const conduit = openConduit({ url, token: () => sandbox.phabricator.token, redact: (text) => text })
    await assert.rejects(conduit.ownComments(9999, new Date(0), signal), Permanent)
  })
}

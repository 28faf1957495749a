// GitLab's REST API: what each of its answers means, and lists that go over many pages.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import { redactor } from '#shared/process/log.ts'
import { type GitLab, type MergeRequestKey, openGitLab } from '#sinks/gitlab/gitlab.ts'
import { whileShown } from '#sinks/gitlab/shown.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { seed } from '../sandbox/seed.ts'
import { type Given, startAnswering } from '../support/answers.ts'
import { fenceOf } from '../support/fence.ts'

const { signal } = new AbortController()
const allowed = fenceOf()
const token = 'glpat-secret0123456789ab'
const place = { project: 42, iid: 1 }
const open = (url: string): GitLab => openGitLab({ url, token: () => token, redact: redactor([token]) })

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function messagesOf(gitlab: GitLab, of: MergeRequestKey = place, onBound?: () => void): Promise<string[]> {
  return await all(gitlab.commitMessages(of, signal, onBound))
}

type What = 'refused' | 'down' | 'never' | 'again'

function whatOf(thrown: unknown): What {
  assert.ok(thrown instanceof Error)
  assert.ok(!thrown.message.includes(token), thrown.message)
  if (thrown instanceof Refused) return 'refused'
  if (thrown instanceof Unavailable) return 'down'
  return thrown instanceof Permanent ? 'never' : 'again'
}

const says = (message: string) => ({ message })
const html = '<!DOCTYPE html><title>Whoops</title>'

describe('the meaning of', () => {
  const rows: Array<[what: string, answer: Given, meaning: What]> = [
    ['401', { status: 401, body: says('401 Unauthorized') }, 'refused'],
    ['401 that repeats the token', { status: 401, body: says(`${token} is not known`) }, 'refused'],
    ['401 of a revoked token', { status: 401, body: { error: 'invalid_token', error_description: 'Token was revoked.' } }, 'refused'],
    ['403', { status: 403, body: says('403 Forbidden') }, 'never'],
    ['403 for want of a scope', { status: 403, body: { error: 'insufficient_scope', scope: 'api' } }, 'refused'],
    ['403 of a read-only GitLab', { status: 403, body: says('You cannot perform write operations on a read-only instance') }, 'down'],
    ['400 with words', { status: 400, body: says('400 Bad request') }, 'never'],
    ['400 with an object', { status: 400, body: { message: { note: ["can't be blank"] } } }, 'never'],
    ['404', { status: 404, body: says('404 Project Not Found') }, 'never'],
    ['404 with a page', { status: 404, body: html }, 'never'],
    ['405', { status: 405, body: { error: '405 Not Allowed' } }, 'never'],
    ['422', { status: 422, body: says('Unprocessable') }, 'never'],
    ['409', { status: 409, body: says('409 Conflict') }, 'again'],
    ['408', { status: 408 }, 'down'],
    ['429 with plain text', { status: 429, headers: { 'retry-after': '3' }, body: 'Retry later' }, 'down'],
    ['429 without words about when', { status: 429, body: says('This endpoint has been requested too many times.') }, 'down'],
    ['500 with JSON', { status: 500, body: says('500 Internal Server Error') }, 'again'],
    ['500 with a page', { status: 500, body: html }, 'down'],
    ['502', { status: 502, body: html }, 'down'],
    ['503', { status: 503, body: html }, 'down'],
    ['504', { status: 504, body: html }, 'down'],
    ['501', { status: 501, body: says('Not Implemented') }, 'again'],
    ['301, a project that moved', { status: 301, headers: { location: '/api/v4/projects/43' }, body: html }, 'again'],
    ['302', { status: 302, headers: { location: 'https://evil.example/' } }, 'again'],
    ['204, nothing', { status: 204 }, 'down'],
    ['200 with a page', { body: html }, 'down'],
    ['200 with half of the JSON', { body: '[{"message": "a"}, {"mess' }, 'down'],
    ['200 with nothing', {}, 'down'],
    ['200 with another shape', { body: { message: 'not a list' } }, 'again'],
  ]
  for (const [what, answer, expected] of rows) {
    test(`${what} is "${expected}"`, async () => {
      await using remote = await startAnswering(answer)
      const failed = () => assert.fail('It went through.')
      assert.equal(await messagesOf(open(remote.url)).then(failed, whatOf), expected, 'reading')
      assert.equal(await open(remote.url).postNote(place, 'a', signal, allowed).then(failed, whatOf), expected, 'writing')
    })
  }

  test('202 on a note, which was taken for commands, is a mistake of ours', async () => {
    await using remote = await startAnswering({ status: 202, body: { commands_changes: {}, summary: ['Merged.'] } })
    await assert.rejects(open(remote.url).postNote(place, '/merge', signal, allowed), Permanent)
  })

  test('429 is for as long as it says', async () => {
    await using remote = await startAnswering({ status: 429, headers: { 'retry-after': '3' } })
    await assert.rejects(open(remote.url).me(signal), (error) => error instanceof Unavailable && error.retryAfter === 3000)
  })
})

test('each call has the token and goes where it belongs', async () => {
  await using remote = await startAnswering(({ path }) => ({ body: path.includes('/notes') ? { id: 7 } : [] }))
  const gitlab = open(remote.url)
  await messagesOf(gitlab, { project: 'a/b c', iid: 1 })
  await gitlab.changedFiles(place, signal)
  await gitlab.userNamed('a&b=c', signal)
  assert.equal(await gitlab.postNote(place, 'ä\n"', signal, allowed), 7)
  assert.deepEqual(
    remote.asked.map(({ method, path }) => `${method} ${path}`),
    [
      'GET /api/v4/projects/a%2Fb%20c/merge_requests/1/commits?per_page=100',
      'GET /api/v4/projects/42/merge_requests/1/diffs?per_page=20',
      'GET /api/v4/users?username=a%26b%3Dc',
      'POST /api/v4/projects/42/merge_requests/1/notes',
    ],
  )
  for (const { headers } of remote.asked) assert.equal(headers.authorization, `Bearer ${token}`)
  assert.deepEqual(JSON.parse(remote.asked[3]?.body ?? ''), { body: 'ä\n"' })
})

describe('the pages of a list', () => {
  test('are followed to the last one', async () => {
    await using sandbox = await startSandbox()
    seed(sandbox)
    const merge = sandbox.gitlab.mergeRequest(42, 1)
    merge.commits = Array.from({ length: 250 }, (_, index) => ({
      id: `${index}`,
      message: `commit ${index}`,
      author: 'alice',
      createdAt: merge.createdAt,
    }))
    merge.files = Array.from({ length: 45 }, (_, index) => ({ path: `new/${index}`, ...(index % 2 === 0 && { oldPath: `old/${index}` }) }))
    const gitlab = openGitLab({ url: sandbox.gitlab.url, token: () => sandbox.gitlab.token, redact: (text) => text })
    const messages = await messagesOf(gitlab)
    assert.deepEqual([messages.length, messages[0], messages[249]], [250, 'commit 0', 'commit 249'])
    const files = await gitlab.changedFiles(place, signal)
    assert.equal(files.length, 45)
    assert.deepEqual(files.slice(0, 2), [
      { path: 'new/0', oldPath: 'old/0', isNew: false },
      { path: 'new/1', isNew: false },
    ])
  })

  test('are bounded when there is always another one', async () => {
    await using remote = await startAnswering(({ path }) => ({ headers: { link: `<${path}>; rel="next"` }, body: [{ message: 'a' }] }))
    assert.equal((await messagesOf(open(remote.url))).length, 150)
    assert.equal(remote.asked.length, 150)
  })

  test('are bounded in bytes over all of them, and who asks is told', async () => {
    const body = Array.from({ length: 10 }, () => ({ message: 'a'.repeat(500_000) }))
    await using remote = await startAnswering(({ path }) => ({ headers: { link: `<${path}>; rel="next"` }, body }))
    let told = 0
    const messages = await messagesOf(open(remote.url), place, () => (told += 1))
    assert.deepEqual([messages.length, told], [140, 1])
    assert.equal(remote.asked.length, 14)
  })

  test('that are too large are asked for with fewer items, from the same one on', async () => {
    await using sandbox = await startSandbox()
    seed(sandbox)
    const { gitlab } = sandbox
    const merge = gitlab.mergeRequest(42, 1)
    const [large, larger] = ['x'.repeat(100_000), 'x'.repeat(9_000_000)]
    const sizes = [...Array.from({ length: 105 }, () => ''), ...Array.from({ length: 90 }, () => large), larger, '']
    merge.commits = sizes.map((filler, index) => ({
      id: `${index}`,
      message: `${index}\n${filler}`,
      author: 'alice',
      createdAt: merge.createdAt,
    }))
    const client = openGitLab({ url: gitlab.url, token: () => gitlab.token, redact: (text) => text })
    let told = 0
    const messages = await messagesOf(client, place, () => (told += 1))
    assert.deepEqual(
      messages.map((message) => Number(message.split('\n')[0])),
      Array.from({ length: 195 }, (_, index) => index),
    )
    assert.equal(told, 1, 'what comes from the one on that nobody can read')
  })

  test('never lead to another server, another path or without the token to ours', async () => {
    await using other = await startAnswering({ body: [] })
    const links = [`<${other.url}/steal?page=2>; rel="next"`, `<//127.0.0.1:${other.port}/?page=2>; rel=next`, '<?page=2>; rel="next"']
    for (const link of links) {
      await using remote = await startAnswering(({ path }) =>
        path.includes('page=2')
          ? { body: [{ message: 'b' }] }
          : { headers: { link: `<x?page=1>; rel="first", ${link}` }, body: [{ message: 'a' }] },
      )
      assert.deepEqual(await messagesOf(open(remote.url)), ['a', 'b'])
      assert.equal(remote.asked[1]?.path, '/api/v4/projects/42/merge_requests/1/commits?page=2')
    }
    assert.deepEqual(other.asked, [])
  })

  test('end where no next one is named', async () => {
    for (const link of ['', '<a?page=1>; rel="first", <a?page=9>; rel="last"', 'nonsense', '<>; rel="next"']) {
      await using remote = await startAnswering({ headers: { link }, body: [{ message: 'a' }] })
      assert.deepEqual(await messagesOf(open(remote.url)), ['a'])
    }
  })
})

test('of a long message the beginning and the end are read, in whole lines', async () => {
  const lines = (word: string) => `${word} `.repeat(100).concat('\n').repeat(1000)
  await using remote = await startAnswering({ body: [{ message: `Subject\n${lines('first')}${lines('last')}Bug: T1` }] })
  const [message = ''] = await messagesOf(open(remote.url))
  assert.ok(message.length < 66_000)
  assert.deepEqual(new Set(message.split('\n').map((line) => line.slice(0, 6))), new Set(['Subjec', 'first ', '', 'last l', 'Bug: T']))
})

test('people, notes and accounts are read as they are', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  gitlab.addNote(42, 1, { author: 'dave', body: 'Looks good' })
  const client = openGitLab({ url: gitlab.url, token: () => gitlab.token, redact: (text) => text })
  assert.deepEqual((await client.participants(place, signal)).sort(), ['alice', 'dave', 'grace'])
  assert.deepEqual(await client.mergeRequest(place, signal), { state: 'opened', author: 'alice' })
  assert.deepEqual(
    (await all(client.notesBy('dave', place, signal, assert.fail))).map(({ body, author }) => [body, author]),
    [['Looks good', 'dave']],
  )
  assert.deepEqual(await client.userNamed('ERIN', signal), { id: 15, username: 'erin', active: false })
  assert.equal((await client.userNamed('bob', signal))?.active, true)
  assert.equal(await client.userNamed('nobody', signal), undefined)
  assert.equal((await client.me(signal)).username, 'gitlab-mentions-bot')
})

test('what GitLab leaves out does no harm', async () => {
  const author = { username: 'dave' }
  await using remote = await startAnswering(({ path }) => {
    if (path.includes('commits')) return { body: [{}, { message: null }, { message: 'a' }] }
    if (path.includes('diffs')) return { body: [{ new_path: 'a' }, { new_path: 'b', old_path: null, new_file: true }] }
    if (path.includes('/notes')) return { body: [{ id: 1 }, { id: 2, author, body: 'x', system: true }, { id: 3, author, body: null }] }
    return { body: { author: null } }
  })
  const gitlab = open(remote.url)
  assert.deepEqual(await messagesOf(gitlab), ['', '', 'a'])
  assert.deepEqual(await gitlab.changedFiles(place, signal), [
    { path: 'a', isNew: false },
    { path: 'b', isNew: true },
  ])
  assert.deepEqual(
    (await all(gitlab.notesBy('dave', place, signal, assert.fail))).map(({ id }) => id),
    [3],
  )
  assert.deepEqual(await gitlab.mergeRequest(place, signal), { state: undefined, author: undefined })
})

describe('where the merge request is answered with', () => {
  const me = { id: 1, username: 'bot', state: 'active' }
  const gone = says('404 Not found')
  const rows: Array<[what: string, answer: Given, self: Given, expected: string]> = [
    ['404 of the project', { body: says('404 Project Not Found') }, { body: me }, 'GitLab shows the bot no such project'],
    ['404 of the merge request', { body: gone }, { body: me }, 'GitLab shows the bot no such merge request'],
    ['404 with a page', { body: html }, { body: me }, 'GitLab shows the bot no such merge request'],
    ['404 of an address that this server does not have', { body: { error: '404 Not Found' } }, { body: me }, 'never'],
    ['404, as is the bot itself', { body: gone }, { status: 404, body: gone }, 'refused'],
    [
      '404, and the bot is blocked',
      { body: gone },
      { status: 403, body: says('403 Forbidden - Your account has been blocked') },
      'refused',
    ],
    ['404, and the bot is deactivated', { body: gone }, { body: { ...me, state: 'deactivated' } }, 'refused'],
    ['404, and the token is refused', { body: gone }, { status: 401, body: says('401 Unauthorized') }, 'refused'],
    ['404, and GitLab goes away', { body: gone }, { status: 503, body: html }, 'down'],
  ]
  for (const [what, answer, self, expected] of rows) {
    test(`${what}, that means: ${expected}`, async () => {
      await using remote = await startAnswering(({ path }) => (path.endsWith('/user') ? self : { status: 404, ...answer }))
      const gitlab = open(remote.url)
      const come = whileShown(gitlab, signal, () => messagesOf(gitlab)).then(
        (outcome) => ('reason' in outcome ? outcome.reason : 'shown'),
        whatOf,
      )
      assert.equal(await come, expected)
    })
  }
})

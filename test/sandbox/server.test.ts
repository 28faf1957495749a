import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { GitLab } from './gitlab.ts'
import { startSandbox } from './sandbox.ts'
import { seed } from './seed.ts'

const notesPath = '/api/v4/projects/42/merge_requests/1/notes'

function postNote({ url, token }: GitLab, body: string, signal?: AbortSignal): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  return fetch(url + notesPath, { method: 'POST', headers, body: JSON.stringify({ body }), ...(signal && { signal }) })
}

function texts(gitlab: GitLab): string[] {
  const { notes } = gitlab.mergeRequest(42, 1)
  return notes.filter((note) => !note.system).map((note) => note.body)
}

test('a refused request does nothing, a dropped one is done all the same', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  gitlab.fault({ kind: 'refuse' })
  await assert.rejects(postNote(gitlab, 'lost'))
  gitlab.fault({ kind: 'commit-then-drop', times: 1 })
  await assert.rejects(postNote(gitlab, 'made'))
  assert.equal((await postNote(gitlab, 'well')).status, 201)
  assert.deepEqual(texts(gitlab), ['made', 'well'])
  assert.deepEqual(
    gitlab.requests.map(({ status }) => status),
    [undefined, undefined, 201],
  )
})

test('a rule may name the requests it is for, and gives any answer', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  gitlab.fault({
    kind: 'status',
    status: 429,
    headers: { 'Retry-After': '7' },
    body: 'slow down',
    match: ({ body }) => body.includes('often'),
  })
  assert.equal((await postNote(gitlab, 'once')).status, 201)
  const refused = await postNote(gitlab, 'often')
  assert.deepEqual([refused.status, refused.headers.get('retry-after'), await refused.text()], [429, '7', 'slow down'])
})

test('closing does not wait for requests that hang', async () => {
  const sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab, wiki, phabricator } = sandbox
  gitlab.fault({ kind: 'commit-then-hang' })
  wiki.fault({ kind: 'hang' })
  phabricator.fault({ kind: 'slow', ms: 60_000 })
  const waiting = Promise.allSettled([postNote(gitlab, 'made'), fetch(wiki.apiUrl), fetch(phabricator.url)])
  while (wiki.requests.length + gitlab.requests.length + phabricator.requests.length < 3) await setImmediate()
  await sandbox.close()
  assert.ok((await waiting).every(({ status }) => status === 'rejected'))
  assert.deepEqual(texts(gitlab), ['made'])
})

test('what goes down comes back on the same port', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  await gitlab.down()
  await assert.rejects(postNote(gitlab, 'lost'))
  await gitlab.up()
  assert.equal((await postNote(gitlab, 'well')).status, 201)
})

test('a client that hangs up right after sending has its note made', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  const body = JSON.stringify({ body: 'made' })
  const socket = connect(Number(new URL(gitlab.url).port), '127.0.0.1')
  await once(socket, 'connect')
  const head = `POST ${notesPath} HTTP/1.1\r\nHost: x\r\nPRIVATE-TOKEN: ${gitlab.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
  while (texts(gitlab).length === 0) await setImmediate()
  assert.deepEqual(texts(gitlab), ['made'])
})

test('the overview shows what came, escaped', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  await postNote(sandbox.gitlab, '<script>')
  const overview = await (await fetch(sandbox.url)).text()
  assert.match(overview, /merge_requests\/1\/notes/)
  assert.doesNotMatch(overview, /<script>/)
  const page = await (await fetch(`${sandbox.gitlab.url}/repos/releng/gitlab-demo/-/merge_requests/1`)).text()
  assert.match(page, /&lt;script&gt;/)
})

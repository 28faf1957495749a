import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { type Sandbox, startSandbox } from './sandbox.ts'

const answerSchema = z.object({ result: z.unknown(), error_code: z.string().nullable(), error_info: z.string().nullable() })
const pageSchema = z.object({
  data: z.array(
    z.object({
      id: z.number(),
      phid: z.string(),
      comments: z.array(z.object({ content: z.object({ raw: z.string() }), removed: z.boolean() })),
    }),
  ),
  cursor: z.object({ after: z.string().nullable() }),
})

async function call({ phabricator }: Sandbox, method: string, params: object, token = phabricator.token) {
  const body = new URLSearchParams({ params: JSON.stringify({ ...params, __conduit__: { token } }) })
  const response = await fetch(`${phabricator.url}/api/${method}`, { method: 'POST', body })
  return { status: response.status, ...answerSchema.parse(await response.json()) }
}

const comment = (value: string) => [{ type: 'comment', value }]

test('the same comment twice makes two, and both are found again with their text as sent', async () => {
  await using sandbox = await startSandbox()
  const { phabricator } = sandbox
  phabricator.addTask({ id: 7, title: 'A task' })
  await call(sandbox, 'maniphest.edit', { objectIdentifier: 'T7', transactions: comment(' twice \r\n') })
  await call(sandbox, 'maniphest.edit', { objectIdentifier: 't07', transactions: comment(' twice \r\n') })
  assert.deepEqual(phabricator.comments(7), [' twice \r\n', ' twice \r\n'])

  const first = pageSchema.parse((await call(sandbox, 'transaction.search', { objectIdentifier: 'T7', limit: 1 })).result)
  const second = pageSchema.parse(
    (await call(sandbox, 'transaction.search', { objectIdentifier: 'T7', limit: 1, after: first.cursor.after })).result,
  )
  assert.ok(Number(first.data[0]?.id) > Number(second.data[0]?.id), 'newest first')
  assert.equal(second.data[0]?.comments[0]?.content.raw, ' twice \r\n')
  assert.equal(second.cursor.after, null)
})

test('without an identifier and with a title a task is made, and the sandbox remembers it as a mistake', async () => {
  await using sandbox = await startSandbox()
  const refused = await call(sandbox, 'maniphest.edit', { objectIdentifier: '', transactions: comment('x') })
  assert.match(refused.error_info ?? '', /Tasks must have a title/)
  await call(sandbox, 'maniphest.edit', { transactions: [{ type: 'title', value: 'oh no' }] })
  assert.deepEqual(
    sandbox.phabricator.state.madeByMistake.map((task) => task.title),
    ['oh no'],
  )
})

test('markup has consequences outside a literal block and none inside', async () => {
  await using sandbox = await startSandbox()
  const { phabricator } = sandbox
  phabricator.addTask({ id: 1, title: 'Commented' })
  phabricator.addTask({ id: 2, title: 'Mentioned' })
  const { account } = phabricator.addAccount('alice')
  phabricator.addTask({ id: 3, title: 'Hidden', access: 'hidden' })
  await call(sandbox, 'maniphest.edit', {
    objectIdentifier: 'T1',
    transactions: comment('bob opened https://x.example/T2\n\n%%%[a@b] @alice T2 %%% T2%%%'),
  })
  assert.deepEqual([phabricator.task(1).subscribers, phabricator.task(2).transactions.length], [[], 0])
  await call(sandbox, 'maniphest.edit', { objectIdentifier: 'T1', transactions: comment('%%%a%%%\n@alice T2 T3%%%') })
  assert.deepEqual([phabricator.task(1).subscribers, phabricator.task(2).transactions[0]?.type], [[account.phid], null])
  assert.equal(phabricator.task(3).transactions.length, 0)
})

test('a removed comment keeps its place and loses its text in every version', async () => {
  await using sandbox = await startSandbox()
  const { phabricator } = sandbox
  phabricator.addTask({ id: 1, title: 'A task' })
  const made = phabricator.addComment(1, 'first')
  phabricator.editComment(made, 'second')
  assert.deepEqual(phabricator.comments(1), ['second'])
  phabricator.removeComment(made)
  const { data } = pageSchema.parse((await call(sandbox, 'transaction.search', { objectIdentifier: 'T1' })).result)
  assert.deepEqual(
    data[0]?.comments.map(({ content, removed }) => [content.raw, removed]),
    [
      ['', true],
      ['', false],
      ['', false],
    ],
  )
})

test('a gzipped request is read, and no token is remembered', async () => {
  await using sandbox = await startSandbox()
  const { phabricator } = sandbox
  const body = gzipSync(`api.token=${phabricator.token}`)
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Encoding': 'gzip' }
  const response = await fetch(`${phabricator.url}/api/user.whoami?api.token=${phabricator.token}`, { method: 'POST', body, headers })
  assert.equal(answerSchema.parse(await response.json()).error_code, null)
  await call(sandbox, 'user.whoami', { [phabricator.token]: 1 })
  assert.doesNotMatch(JSON.stringify(phabricator.requests), new RegExp(phabricator.token))
})

test('the release of 2025 gives the catch-all code where the newer one has a code of its own', async () => {
  await using sandbox = await startSandbox()
  const missing = { objectIdentifier: 'T9' }
  assert.equal((await call(sandbox, 'transaction.search', missing)).error_code, 'ERR-INVALID-OBJECT-PHID')
  sandbox.phabricator.state.release = '2025.51'
  const old = await call(sandbox, 'transaction.search', missing)
  assert.equal(old.error_code, 'ERR-CONDUIT-CORE')
  assert.equal(old.error_info, 'In call to "transaction.search", specified "objectIdentifier" ("T9") does not exist.')
})

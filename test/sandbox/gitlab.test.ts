import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { GitLab } from './gitlab.ts'
import { startSandbox } from './sandbox.ts'
import { seed } from './seed.ts'

function get({ url, token }: GitLab, path: string): Promise<Response> {
  return fetch(path.startsWith('http') ? path : `${url}/api/v4/${path}`, { headers: { 'PRIVATE-TOKEN': token } })
}

function post({ url, token }: GitLab, body: object): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  return fetch(`${url}/api/v4/projects/42/merge_requests/1/notes`, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function names(gitlab: GitLab): Promise<string[]> {
  const response = await get(gitlab, 'projects/repos%2Freleng%2Fgitlab-demo/merge_requests/1/participants')
  const people = z.array(z.object({ username: z.string() })).parse(await response.json())
  return people.map(({ username }) => username)
}

test('whom a note mentions takes part from then on, also the one who wrote it', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  assert.deepEqual(await names(gitlab), ['alice', 'grace'])
  assert.equal((await post(gitlab, { body: 'See @bob, not `@carol`, \\@dave or x@erin' })).status, 201)
  assert.deepEqual(await names(gitlab), ['alice', 'grace', 'gitlab-mentions-bot', 'bob'])
})

test('a line that is a quick action is carried out; a note of nothing else is none', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  assert.equal((await post(gitlab, { body: '/approve' })).status, 202)
  assert.equal((await post(gitlab, { body: 'Text\n/close\n```\n/merge\n```' })).status, 201)
  assert.equal((await post(gitlab, { body: ' ' })).status, 400)
  assert.equal((await post(gitlab, {})).status, 400)
  assert.deepEqual(
    gitlab.state.commands.map(({ command }) => command),
    ['/approve', '/close'],
  )
  assert.equal(gitlab.mergeRequest(42, 1).notes.at(-1)?.body, 'Text\n```\n/merge\n```')
})

test('pages are followed by their links, newest first unless asked otherwise', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  for (const body of ['one', 'two', 'three']) gitlab.addNote(42, 1, { author: 'dave', body })
  const bodies: string[] = []
  let next: string | undefined = 'projects/42/merge_requests/1/notes?per_page=3'
  while (next) {
    const response: Response = await get(gitlab, next)
    bodies.push(
      ...z
        .array(z.object({ body: z.string() }))
        .parse(await response.json())
        .map(({ body }) => body),
    )
    next = /<([^>]*)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  }
  assert.deepEqual(bodies, ['three', 'two', 'one', 'requested review from @grace'])
})

test('refusals and absences are worded as GitLab words them', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  const { token } = gitlab.state
  const said = async (response: Promise<Response>) => [(await response).status, await (await response).json()]
  assert.deepEqual(await said(get({ ...gitlab, token: 'wrong' }, 'user')), [401, { message: '401 Unauthorized' }])
  assert.deepEqual(await said(get(gitlab, 'projects/9')), [404, { message: '404 Project Not Found' }])
  assert.deepEqual(await said(get(gitlab, 'users?username=nobody')), [200, []])
  gitlab.state.mode = 'read-only'
  assert.equal((await post(gitlab, { body: 'x' })).status, 403)
  gitlab.state.mode = 'normal'
  token.scopes = ['read_api']
  assert.equal((await post(gitlab, { body: 'x' })).status, 403)
  assert.equal((await get(gitlab, 'user')).status, 200)
  token.state = 'revoked'
  const revoked = { error: 'invalid_token', error_description: 'Token was revoked. You have to re-authorize from the user.' }
  assert.deepEqual(await said(get(gitlab, 'user')), [401, revoked])
})

test('a token is rotated once: the old one is dead at once, and who rotates with it loses the new one, too', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  const old = gitlab.token
  const rotate = (token: string) =>
    fetch(`${gitlab.url}/api/v4/personal_access_tokens/self/rotate`, { method: 'POST', headers: { 'PRIVATE-TOKEN': token }, body: '{}' })
  const answer = z.object({ token: z.string(), expires_at: z.string() }).parse(await (await rotate(old)).json())
  assert.equal(answer.token, gitlab.token)
  assert.equal((await get(gitlab, 'user')).status, 200)
  assert.equal((await get({ ...gitlab, token: old }, 'user')).status, 401)
  assert.equal((await get(gitlab, 'user')).status, 200, 'merely using the old one does no harm')
  assert.equal((await rotate(old)).status, 401)
  assert.equal((await get(gitlab, 'user')).status, 401)
})

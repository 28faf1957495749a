// Secrets that are given as files: what is wrong with them is said at the start, and a new one is in use without a restart.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { type Flow, holding, mergeRequestHook, openFlow, verbs } from '../flow/flow.ts'
import { ops } from '../support/ops.ts'
import { sourceToken } from '../support/service.ts'
import { until } from '../support/until.ts'

let flow: Flow
let directory: string
const firstGuess = 'api-nobodyknowsthis0000000000000'
const secondGuess = 'api-norknowsanybodythis000000000'
const path = (name: string) => join(directory, name)
const put = (name: string, text: string) => writeFile(path(name), text)
// As editors and configuration tools do: a new file in the place of the old one. Nobody sees it half written.
const replace = async (name: string, text: string) => {
  await put(`${name}.new`, text)
  await rename(path(`${name}.new`), path(name))
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-secrets-'))
  flow = await openFlow(async ({ environment, sandbox, redisUrl, databaseUrl }) => {
    await put('source', `${sourceToken}\n`)
    await put('old', 'the-old-source-token\r\n')
    await put('gitlab', sandbox.gitlab.token)
    await put('phabricator', `${firstGuess}\n`)
    await put('redis', `${redisUrl}\n`)
    await put('database', `${databaseUrl}\n`)
    // Two links, as Kubernetes mounts a secret: the second one is replaced.
    await mkdir(path('..2026_11_23'))
    await put('..2026_11_23/token', sandbox.gitlab.token)
    await symlink('..2026_11_23', path('..data'))
    await symlink('..data/token', path('token'))
    Object.assign(environment, {
      SOURCE_TOKEN: '',
      SOURCE_TOKEN_FILE: path('source'),
      SOURCE_TOKEN_OLD_FILE: path('old'),
      GITLAB_TOKEN: '',
      GITLAB_TOKEN_FILE: path('token'),
      PHABRICATOR_TOKEN: '',
      PHABRICATOR_TOKEN_FILE: path('phabricator'),
      REDIS_URL: '',
      REDIS_URL_FILE: path('redis'),
      DATABASE_URL: '',
      DATABASE_URL_FILE: path('database'),
    })
    return {}
  })
})
after(async () => {
  await flow?.close()
  await rm(directory, { recursive: true })
})

const knock = async (token: string) => {
  const headers = { 'x-gitlab-token': token, 'idempotency-key': 'knock' }
  return (await fetch(`http://127.0.0.1:${flow.ingest.port()}/hooks`, { method: 'POST', headers, body: '{}' })).status
}

test('a refused token holds its queue, and a new one in the file lets it go on, without a restart', async () => {
  const { phabricator } = flow.sandbox
  const id = await flow.send(mergeRequestHook(flow, { description: 'Bug: T1' }))
  await until(() => holding(flow.worker, 'phabricator').length > 0, 'Phabricator refuses')
  assert.equal(verbs(flow, 1), '')
  const taken = () => flow.worker.lines.filter(({ msg, secret }) => msg === 'secret taken over' && secret === 'PHABRICATOR_TOKEN').length
  await put('phabricator', `${secondGuess}\n`)
  await until(() => taken() === 1, 'another token is taken over, which is wrong as well')
  const heldBefore = holding(flow.worker, 'phabricator').length
  await until(() => holding(flow.worker, 'phabricator').length > heldBefore + 1, 'Phabricator refuses that, and repeats it')
  await replace('phabricator', `${phabricator.token}\n`)
  await flow.settled()
  assert.equal(verbs(flow, 1), 'opened', id)
  await until(() => taken() === 2, 'that is said')
})

test('a link that leads elsewhere from now on brings a new token, which is looked at at once, and the account is asked for anew', async () => {
  const { gitlab } = flow.sandbox
  gitlab.state.token.state = 'revoked'
  const revoked = await ops(flow.environment, 'token')
  assert.match(revoked.out, /state +expired or revoked\n/)
  assert.match(revoked.out, /mend +write a new one into .*\/token \(GITLAB_TOKEN_FILE\): the workers take it over by themselves\n$/)
  gitlab.state.token.state = 'active'
  gitlab.state.token.value = 'glpat-the-next-one-12345'
  await mkdir(path('..2026_11_24'))
  await put('..2026_11_24/token', 'glpat-the-next-one-12345')
  await symlink('..2026_11_24', path('..data.new'))
  await rename(path('..data.new'), path('..data'))
  await until(() => flow.worker.lines.some(({ secret }) => secret === 'GITLAB_TOKEN'), 'the token is taken over')
  const status = async () =>
    z.object({ token: z.object({ active: z.boolean() }) }).parse(JSON.parse((await ops(flow.environment, 'status', '--json')).out))
  await until(async () => (await status()).token.active, 'nothing says any more that it is revoked')
  await flow.send(mergeRequestHook(flow, { description: '' }))
  await flow.settled()
  const asked = gitlab.requests.filter((request) => request.path.endsWith('/user'))
  assert.equal(asked.at(-1)?.status, 200)
})

test('the tokens that ingest accepts change with their files, at once for all', async () => {
  assert.deepEqual([await knock(sourceToken), await knock('the-old-source-token'), await knock('the-new-token')], [202, 202, 401])
  await replace('source', 'the-new-token')
  await put('old', `${sourceToken}\n`)
  await until(
    async () => (await knock('the-new-token')) === 202 && (await knock('the-old-source-token')) === 401,
    'the new ones are accepted',
  )
  assert.equal(await knock(sourceToken), 202)
})

test('contents that cannot be a secret are told once, and the old secret stays', async () => {
  const told = () => flow.ingest.lines.filter(({ msg, secret }) => msg === 'secret stays as it was' && secret === 'SOURCE_TOKEN')
  await replace('source', '')
  await until(() => told().length === 1, 'the empty file is told')
  await replace('old', 'another-old-token')
  await until(async () => (await knock('another-old-token')) === 202, 'the files were looked at again')
  assert.equal(told().length, 1)
  await rm(path('source'))
  await until(() => told().length === 2, 'the missing file is told')
  await replace('source', 'x'.repeat(2000))
  await until(() => told().length === 3, 'the long secret is told')
  assert.deepEqual(
    told().map(({ reason }) => /empty|ENOENT|cannot be such a secret/.exec(String(reason))?.[0]),
    ['empty', 'ENOENT', 'cannot be such a secret'],
  )
  assert.equal(await knock('the-new-token'), 202)
  await replace('source', 'the-newest-token')
  await until(async () => (await knock('the-newest-token')) === 202, 'a good one is taken over')
  assert.equal(told().length, 3)
})

test('no secret of a file is in the output, not even one that came later', () => {
  const output = `${flow.ingest.text()}${flow.worker.text()}`
  for (const secret of [sourceToken, 'the-old-source-token', 'the-new-token', firstGuess, secondGuess, 'glpat-', 'api-', 'x'.repeat(100)])
    assert.ok(!output.includes(secret), secret.slice(0, 20))
})

test('an operator’s command reads the same files', async () => {
  const said = await ops({ ...flow.environment, SOURCE_TOKEN_FILE: '/not/for/this/process' }, 'deliveries', '--json')
  assert.deepEqual([said.code, JSON.parse(said.out).length > 0], [0, true], said.err)
})

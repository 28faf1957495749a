// How long GitLab's access token is still good, and a new one in its place: asked for once, and stored before all else.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { openQueue } from '#shared/queue/open-queue.ts'
import { ops } from '../support/ops.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let directory: string
let file: string

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
const rotations = () => stage.sandbox.gitlab.requests.filter(({ path }) => path.endsWith('/rotate')).length
const rotate = (...args: string[]) => ops(stage.environment, 'token', 'rotate', '--reason', 'it is time', ...args)
const acts = async () => await stage.database.selectFrom('acts').select(['verb', 'reason', 'details', 'count']).orderBy('at').execute()

// What a worker does once a day.
async function lookAgain(): Promise<void> {
  const queue = openQueue({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' }, 'chores')
  const job = await queue.add('token', {})
  await until(() => job.isCompleted(), 'the worker has looked again')
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-token-'))
  file = join(directory, 'token')
  stage = await openStage()
  await symlink('token', join(directory, 'link'))
  Object.assign(stage.environment, { GITLAB_TOKEN: '', GITLAB_TOKEN_FILE: join(directory, 'link') })
})
after(async () => {
  await stage?.close()
  await rm(directory, { recursive: true })
})
beforeEach(async () => {
  const { gitlab } = stage.sandbox
  gitlab.fault(undefined)
  gitlab.state.token = { value: `glpat-${Date.now()}-abcdefgh`, former: [], scopes: ['api'], state: 'active', expiresAt: inDays(10) }
  await writeFile(file, gitlab.token)
  await chmod(file, 0o640)
})

test('the command, the metrics and the log say how long the token is still good', async () => {
  const said = await ops(stage.environment, 'token')
  assert.match(said.out, new RegExp(`gitlab-webhooks.*good.*${inDays(10)}, in 10 days.*api`, 's'))
  const data = JSON.parse((await ops(stage.environment, 'token', '--json')).out)
  assert.deepEqual([data.expiresAt, data.daysLeft, data.active, data.scopes], [inDays(10), 10, true, ['api']])

  const worker = await stage.start('worker')
  const warnings = () => worker.lines.filter(({ msg }) => msg?.startsWith('token expires soon')).map(({ level, days }) => [level, days])
  await until(() => warnings().length === 1, 'the worker warns at its start')
  const measure = async () => {
    const text = await (await fetch(`http://127.0.0.1:${worker.port()}/metrics`)).text()
    return /gitlab_webhooks_token_days_left\{remote="gitlab"\} (\d+)/.exec(text)?.[1]
  }
  await until(async () => (await measure()) === '10', 'the measure says so, too')

  const { token } = stage.sandbox.gitlab.state
  token.expiresAt = inDays(9)
  await lookAgain()
  token.expiresAt = inDays(6)
  await lookAgain()
  await lookAgain()
  assert.equal(await measure(), '6')
  token.expiresAt = null
  await lookAgain()
  assert.equal(await measure(), undefined, 'a token that never expires has no measure')
  token.state = 'revoked'
  await lookAgain()
  await until(() => worker.lines.some(({ msg, level }) => msg === 'token is expired or revoked' && level === 'error'), 'the log says so')
  assert.equal((await ops(stage.environment, 'token')).code, 1)
  assert.deepEqual(warnings(), [
    ['warn', 10],
    ['warn', 9],
    ['warn', 6],
  ])
  await worker.kill()
})

test('rotating puts the new token into the file behind the link, with its mode, and tells nobody', async () => {
  const old = stage.sandbox.gitlab.token
  const before_ = rotations()
  const said = await rotate()
  const fresh = stage.sandbox.gitlab.token
  assert.equal(said.code, 0, said.err)
  assert.notEqual(fresh, old)
  assert.equal(await readFile(file, 'utf8'), `${fresh}\n`)
  assert.equal((await stat(file)).mode & 0o777, 0o640)
  assert.deepEqual((await readdir(directory)).toSorted(), ['link', 'token'])
  assert.equal(rotations(), before_ + 1)
  assert.ok(!`${said.out}${said.err}`.includes(fresh))
  const days = (Date.parse(stage.sandbox.gitlab.state.token.expiresAt ?? '') - Date.now()) / 86_400_000
  assert.ok(days > 362 && days < 366, `it is good for ${days} days`)
  const act = (await acts()).at(-1)
  assert.deepEqual([act?.verb, act?.reason, act?.count], ['token rotate', 'it is time', 1])
  assert.ok(!act?.details.includes(fresh))
  assert.equal(JSON.parse((await ops(stage.environment, 'token', '--json')).out).active, true)
})

test('where no file is, or none is wanted, the new token is printed, once', async () => {
  const printed = await rotate('--print', '--expires', inDays(30))
  assert.equal(printed.out.split(stage.sandbox.gitlab.token).length, 2, 'it is there once')
  assert.equal(stage.sandbox.gitlab.state.token.expiresAt, inDays(30))
  const environment = { ...stage.environment, GITLAB_TOKEN_FILE: '', GITLAB_TOKEN: stage.sandbox.gitlab.token }
  const said = await ops(environment, 'token', 'rotate', '--reason', 'to be sure', '--json')
  assert.equal(JSON.parse(said.out).token, stage.sandbox.gitlab.token)
  assert.equal(said.code, 0)
})

test('nothing is asked for when the new token could not be stored, or may not be asked for', async () => {
  const { gitlab } = stage.sandbox
  const before_ = rotations()
  const unwritable = await ops(
    { ...stage.environment, GITLAB_TOKEN_FILE: '/proc/sys/kernel/ostype' },
    'token',
    'rotate',
    '--reason',
    'to be sure',
  )
  assert.match(unwritable.err, /could not be stored: .*--print/)
  assert.equal(unwritable.code, 1)
  const elsewhere = { ...stage.environment, GITLAB_TOKEN_FILE: '', GITLAB_TOKEN: 'glpat-nobody-knows-this' }
  assert.match((await ops(elsewhere, 'token', 'rotate', '--reason', 'to be sure')).err, /401/)
  gitlab.state.token.scopes = ['read_api']
  assert.match((await rotate()).err, /scopes do not allow it: read_api; api or self_rotate is needed/)
  gitlab.state.token.scopes = ['api']
  await stage.redis.set(`{${stage.environment.REDIS_PREFIX}}:token:gitlab:lock`, 'somebody', 'PX', 60_000)
  assert.match((await rotate()).err, /Somebody else is rotating/)
  await stage.redis.del(`{${stage.environment.REDIS_PREFIX}}:token:gitlab:lock`)
  for (const day of ['2026-02-30', inDays(0)]) assert.equal((await rotate('--expires', day)).code, 2, day)
  assert.equal(rotations(), before_)
  assert.deepEqual((await readdir(directory)).toSorted(), ['link', 'token'])
})

test('what GitLab refuses leaves everything as it was', async () => {
  const said = await rotate('--expires', inDays(1000))
  assert.equal(said.code, 1)
  assert.match(said.err, /400.*Expiration date/)
  assert.equal(await readFile(file, 'utf8'), stage.sandbox.gitlab.token)
  assert.deepEqual((await readdir(directory)).toSorted(), ['link', 'token'])
})

test('after a lost answer it is not tried again, and the operator learns what to do', async () => {
  const { gitlab } = stage.sandbox
  const old = gitlab.token
  const before_ = rotations()
  gitlab.fault({ kind: 'commit-then-drop', match: ({ path }) => path.endsWith('/rotate'), times: 1 })
  const said = await rotate()
  assert.equal(said.code, 1)
  assert.match(said.out, /answer was lost.*must not be tried again.*bin\/ops token.*revoke the token "gitlab-webhooks".*scopes\s+api/s)
  assert.equal(rotations(), before_ + 1)
  assert.equal(await readFile(file, 'utf8'), old)
  const act = (await acts()).at(-1)
  assert.deepEqual([act?.count, JSON.parse(act?.details ?? '').lost], [0, true])

  const again = await rotate()
  assert.match(again.err, /401.*revoked/, 'the dead token is noticed before GitLab is asked')
  assert.equal(rotations(), before_ + 1)
  assert.equal(gitlab.state.token.state, 'active', 'the new token is not dragged along')
  assert.match((await ops(stage.environment, 'token')).out, /expired or revoked/)
})

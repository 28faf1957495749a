// The Procfile's lines are started as they are, by a platform that knows no shell and nothing of this project; web and
// worker with the variables that Toolforge injects, and a database that cannot be reached from here.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { mergeRequestHook, verbs } from '../flow/flow.ts'
import { freePort } from '../support/ports.ts'
import { type Environment, linesIn, sourceToken, stopMs } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { readProcfile, type Started, startedLine, startLine } from './procfile.ts'

let stage: Stage
let directory: string
let redisUrl: string
let port: number
let injected: Environment

before(async () => {
  stage = await openStage()
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-procfile-'))
  stage.defer(() => rm(directory, { recursive: true, force: true }))
  redisUrl = `redis://:a-password_1@127.0.0.1:${await freePort()}`
  port = await freePort()
  const { REDIS_URL: _redis, DATABASE_URL: _database, HOST: _host, OPS_PORT: _ops, ...own } = stage.environment
  injected = {
    ...own,
    PORT: String(port),
    TOOL_REDIS_URI: redisUrl,
    TOOL_TOOLSDB_USER: 's00000',
    TOOL_TOOLSDB_PASSWORD: 'a password/with:signs',
    TOOL_TOOLFORGE_API_URL: 'https://api.example',
    WEB_MEMORY: '512',
    WEB_CONCURRENCY: '1',
  }
})
after(() => stage?.close())

async function start(name: string, environment: Environment, sign: string): Promise<Started> {
  const started = await startedLine(name, environment, sign)
  stage.defer(() => started.kill())
  return started
}

test('the process types are those that a platform looks for, and none needs a shell or npm', () => {
  const commands = readProcfile()
  assert.deepEqual([...commands.keys()], ['web', 'worker', 'redis', 'ops'])
  for (const words of commands.values()) {
    for (const word of words) assert.match(word, /^[\w./=-]+$/)
    assert.ok(!['npm', 'npx', 'sh', 'bash', 'env'].includes(words[0] ?? ''))
  }
})

test('the Redis of our own wants its password, keeps what it is given over a restart, and throws nothing away', async () => {
  const environment = { REDIS_URL: redisUrl, REDIS_DIR: join(directory, 'redis') }
  const connect = (url: string) => new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null }).on('error', () => undefined)
  const running = async () => {
    const started = startLine('redis', environment)
    stage.defer(() => started.kill())
    const redis = await until(async () => {
      const one = connect(redisUrl)
      await one.ping()
      return one
    }, 'Redis answers')
    return { started, redis }
  }
  const first = await running()
  const stranger = connect(redisUrl.replace(/:[^/]*@/, ''))
  await assert.rejects(stranger.ping(), /NOAUTH/)
  stranger.disconnect()
  const info = await first.redis.info()
  assert.match(info, /maxmemory_policy:noeviction/)
  assert.match(info, /aof_enabled:1/)
  await first.redis.set('kept', 'yes')
  process.kill(Number(/process_id:(\d+)/.exec(info)?.[1]), 'SIGTERM')
  assert.equal(await first.started.exit, 0)
  first.redis.disconnect()

  const second = await running()
  assert.equal(await second.redis.get('kept'), 'yes')
  second.redis.disconnect()
})

test('the Redis of our own says what it misses', async () => {
  for (const [environment, name] of [
    [{ REDIS_URL: redisUrl }, 'REDIS_DIR'],
    [{ REDIS_DIR: directory }, 'REDIS_URL'],
    [{ REDIS_URL: 'redis://127.0.0.1:1', REDIS_DIR: directory }, 'REDIS_URL'],
  ] as const) {
    const started = startLine('redis', environment)
    assert.notEqual(await started.exit, 0)
    assert.match(started.text(), new RegExp(name))
  }
})

test('web and worker carry a merge request with nothing but what is injected, and stop in time under load', async () => {
  const web = await start('web', injected, 'listening')
  const worker = await start('worker', injected, '"working"')
  const url = `http://127.0.0.1:${port}`
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  const send = (body: object) =>
    fetch(`${url}/hooks`, { method: 'POST', headers: { 'x-gitlab-token': sourceToken }, body: JSON.stringify(body) })
  assert.equal((await send(mergeRequestHook(stage))).status, 202)
  await until(() => verbs(stage, 1) === 'opened', 'the task has its comment')

  let over = false
  let sent = 0
  const load = Array.from({ length: 8 }, async () => {
    while (!over) await send(mergeRequestHook(stage, { title: `Title ${sent++}` })).catch(() => undefined)
  })
  await until(() => sent > 40, 'the load is on')
  for (const { pid } of [web, worker]) process.kill(pid(), 'SIGTERM')
  const codes = await Promise.all([web.exit, worker.exit])
  over = true
  await Promise.all(load)
  assert.deepEqual(codes, [0, 0])
  for (const { text } of [web, worker]) {
    const ms = stopMs({ lines: linesIn(text()) })
    assert.ok(ms < 12_000, `${ms} ms`)
  }
  assert.doesNotMatch(web.text() + worker.text(), /a password|a%20password|a-password/)
})

test('ops prints what it can do', async () => {
  const ops = startLine('ops', {}, ['--help'])
  assert.equal(await ops.exit, 0)
  assert.match(ops.text(), /Usage: bin\/ops/)
})

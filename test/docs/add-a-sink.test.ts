// A sink made by docs/add-a-sink.md alone does all that a sink must, through the front door.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import { z } from 'zod'
import { mergeRequestHook } from '../flow/flow.ts'
import { ops as opsWithout } from '../support/ops.ts'
import { freePort } from '../support/ports.ts'
import type { Environment, Process } from '../support/service.ts'
import { post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { buildSink, shown } from './add-a-sink.ts'

const copy = buildSink()
// The copy's own processes and commands.
const { openStage }: typeof import('../support/stage.ts') = await import(join(copy, 'test/support/stage.ts'))
const { ops }: typeof import('../support/ops.ts') = await import(join(copy, 'test/support/ops.ts'))
const { forAddedSinks }: typeof import('../support/added-sinks.ts') = await import(join(copy, 'test/support/added-sinks.ts'))

let stage: Stage
let ingest: Process
let worker: Process
let environment: Environment
let answer: RequestListener
const lines: string[] = []
const server = createServer((request, response) => {
  void (async () => {
    if (request.method === 'POST') lines.push(z.object({ text: z.string() }).parse(JSON.parse(await textOf(request))).text)
    answer(request, response)
  })()
})
const path = '/hooks/the-secret-of-mattermost'
const well: RequestListener = (_request, response) => void response.end('ok')
const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
let port = 0

before(async () => {
  port = await freePort()
  await listen(port)
  stage = await openStage()
  const file = join(copy, 'webhook')
  writeFileSync(file, `http://127.0.0.1:${port}${path}\n`)
  environment = { ...stage.environment, SINKS_ENABLED: 'sse,mattermost', MATTERMOST_WEBHOOK_FILE: file }
  ;[ingest, worker] = await Promise.all([stage.start('ingest'), stage.start('worker', environment)])
})
after(async () => {
  const said = `${worker?.text()}${ingest?.text()}`
  await stage?.close()
  server.close()
  rmSync(copy, { recursive: true, force: true })
  assert.ok(!said.includes('the-secret-of-mattermost'), 'the secret is in no log')
})
beforeEach(() => {
  lines.length = 0
  answer = well
})

test('bin/dev gives its worker what the sink needs, and nothing in the place of the sandbox', () => {
  const { SINKS_ENABLED = '', MATTERMOST_WEBHOOK_FILE } = environment
  const given = { SINKS_ENABLED, MATTERMOST_WEBHOOK_FILE, GITLAB_TOKEN_FILE: 'token', PHABRICATOR_URL: 'https://phabricator.example' }
  const SINKS = 'phabricator,gitlab-mentions,sse,sse,mattermost'
  assert.deepEqual(forAddedSinks(given, stage.environment), { SINKS_ENABLED: SINKS, MATTERMOST_WEBHOOK_FILE })
  assert.deepEqual(forAddedSinks({ SINKS_ENABLED: '' }, stage.environment), {})
})

let sent = 0
async function send(attributes: object = {}): Promise<string> {
  sent += 1
  const id = `line-${sent}`
  const body = mergeRequestHook(stage, { iid: sent, ...attributes })
  assert.equal((await post(ingest, body, { 'idempotency-key': id })).status, 202)
  return id
}

async function ended(id: string, state: string) {
  return await until(async () => {
    const rows = stage.database.selectFrom('effects').selectAll().where('delivery', '=', id).where('sink', '=', 'mattermost')
    const row = await rows.executeTakeFirst()
    return row?.state === state ? row : undefined
  }, `${id} is ${state}`)
}

const effectOf = (id: string) => `${id}/mattermost/line`
const keyOf = (what: string) => `{${environment.REDIS_PREFIX}}:mattermost:${what}`

const statusSchema = z.object({ remotes: z.array(z.object({ id: z.string(), state: z.string(), reason: z.string().nullable() })) })
const remotes = async () => statusSchema.parse(JSON.parse((await ops(environment, 'status', '--json')).out)).remotes

test('the page touches the folder of the sink and the registry, and what it shows has its types right', () => {
  assert.deepEqual(
    shown().map(({ path: file, form }) => `${form} ${file}`),
    ['ts packages/sinks/mattermost/sink.ts', 'diff packages/sinks/registry.ts'],
  )
  // In one thread it takes half the CPU: each of several looks at most of the types again.
  execFileSync(join(copy, 'node_modules/.bin/tsc'), ['-p', copy, '--singleThreaded'], { encoding: 'utf8' })
})

test('nobody has it who did not ask for it, and who asks is told what it needs', async () => {
  const { SINKS_ENABLED: _, MATTERMOST_WEBHOOK_FILE: _file, ...plain } = environment
  const { remotes: usual } = statusSchema.parse(JSON.parse((await ops(plain, 'status', '--json')).out))
  assert.deepEqual(
    usual.map(({ id }) => id),
    ['phabricator', 'gitlab', 'wiki'],
  )
  const asked = await ops({ ...plain, SINKS_ENABLED: 'sse,mattermost' }, 'doctor')
  assert.equal(asked.code, 1)
  assert.match(asked.out, /wrong +configuration +MATTERMOST_WEBHOOK is not set, and the sink mattermost needs it/)
  const bad = await ops({ ...plain, MATTERMOST_WEBHOOK_FILE: join(copy, 'nowhere') }, 'doctor')
  assert.equal(bad.code, 78)
  assert.match(bad.err, /MATTERMOST_WEBHOOK_FILE: expected a file that can be read/)
})

test('a line is posted once, with its secret out of a file, and explained', async () => {
  const id = await send({ title: 'Mend `@all`' })
  await ended(id, 'done')
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /^opened by `\S+: \S+!\d+ Mend {2}@all `$/)
  assert.match((await ops(environment, 'explain', id)).out, /mattermost/)
  const again = await ops(environment, 'redeliver', id, '--reason', 'to see')
  assert.equal(again.code, 0, again.err)
  const performed = () => worker.lines.filter(({ msg, effect }) => msg === 'performed' && effect === effectOf(id))
  await until(() => performed().length === 2, 'it has gone through again')
  await ended(id, 'done')
  assert.equal(lines.length, 1)
})

test('while it is down its queue holds, status says so, and then nothing is lost', async () => {
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
  const id = await send()
  const held = await until(async () => (await remotes()).find(({ state }) => state === 'held'), 'it is held')
  assert.deepEqual(
    (await remotes()).map(({ id: name }) => name),
    ['mattermost'],
  )
  assert.match(held.reason ?? '', /^Mattermost cannot be reached: ECONNREFUSED/)
  assert.match((await ops(environment, 'doctor')).out, /warning +clocks +.*Mattermost did not tell the time/)
  await listen(port)
  await ended(id, 'done')
  assert.equal(lines.length, 1)
  await until(async () => (await remotes()).every(({ state }) => state === 'up'), 'status tells that it was asked again')
})

test('a dropped answer is not posted twice, and said', async () => {
  answer = (request) => void request.socket.destroy()
  const id = await send()
  const { reason } = await ended(id, 'nothing')
  assert.match(reason ?? '', /its call was begun before, and nobody can see what came of it: it is not made twice/)
  assert.equal(lines.length, 1)
})

test('a dead letter is shown in a dry run, and replayed once, with its job or without', async () => {
  answer = (_request, response) => void response.writeHead(400).end()
  const [one, other] = [await send(), await send()]
  for (const id of [one, other]) assert.match((await ended(id, 'dead')).reason ?? '', /^Mattermost answers 400/)
  await stage.redis.del(keyOf(effectOf(other)))
  await stage.redis.zrem(keyOf('failed'), effectOf(other))
  lines.length = 0
  answer = well
  const dry = await ops(environment, 'replay', '--sink', 'mattermost', '--dry-run')
  assert.equal(dry.out.match(/would post "opened by /g)?.length, 2, dry.out + dry.err)
  assert.deepEqual(lines, [])
  // The tree without the sink sends no delivery through again for it.
  const { SINKS_ENABLED: _, ...plain } = environment
  for (const how of [['--dry-run'], ['--reason', 'to see']])
    assert.match(
      (await opsWithout(plain, 'replay', effectOf(one), ...how, '--json')).out,
      /there is no sink mattermost here any more|"lost": ?1/,
    )
  const { code, out, err } = await ops(environment, 'replay', '--sink', 'mattermost', '--reason', 'it takes them now')
  assert.equal(code, 0, out + err)
  for (const id of [one, other]) await ended(id, 'done')
  assert.equal(lines.length, 2)
})

test('a dry run of the service posts nothing, and says what it would', async () => {
  await worker.stop()
  const dry = await stage.start('worker', { ...environment, DRY_RUN: 'true' })
  const { reason } = await ended(await send({ action: 'merge' }), 'nothing')
  assert.match(reason ?? '', /^dry run: would post "merged by /)
  assert.deepEqual(lines, [])
  await dry.stop()
})

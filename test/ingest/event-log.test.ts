import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deliverySchema } from '#shared/event/delivery.ts'
import { readJson } from '#shared/process/json.ts'
import { deliveriesOf } from '../support/deliveries.ts'
import { hookText } from '../support/fixtures.ts'
import { type Environment, type Process, startProcess } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let directory: string
let stage: Stage
before(async () => {
  stage = await openStage()
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-event-log-'))
})
after(async () => {
  await stage.close()
  await rm(directory, { recursive: true })
})

const ids = async (path: string) => (await lines(path)).map(({ id }) => id)

async function lines(path: string) {
  const text = await readFile(path, 'utf8')
  assert.ok(text === '' || text.endsWith('\n'))
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => deliverySchema.strict().parse(readJson(line)))
}

async function send(ingest: Process, id: string, body = '{}', headers: Record<string, string> = {}): Promise<number> {
  return (await post(ingest, body, { 'idempotency-key': id, ...headers })).status
}

test('each accepted delivery is a line of the log, as it came and without secrets', async () => {
  const path = join(directory, 'events.log')
  const ingest = await stage.start('ingest', { LOG_EVENTS_TO: path })
  const bodies = { first: hookText('merge-request-open'), second: '{"text":"line\\nbreak \u2028 💥",\r\n"text":2}' }
  for (const [id, body] of Object.entries(bodies)) assert.equal(await send(ingest, id, body, { authorization: 'secret-1' }), 202)
  await until(async () => (await lines(path)).length === 2, 'there are two lines')
  const deliveries = deliveriesOf(stage)
  for (const line of await lines(path)) {
    assert.deepEqual(line, await deliveries.taken(line.id))
    assert.equal(line.headers['x-gitlab-event'], 'System Hook')
  }
  assert.deepEqual(
    (await lines(path)).map(({ id, body }) => [id, body]),
    Object.entries(bodies),
  )
  assert.doesNotMatch(await readFile(path, 'utf8'), /secret-1|the-source-token/)
})

test('a delivery that was refused is not in the log', async () => {
  const path = join(directory, 'refused.log')
  const ingest = await stage.start('ingest', { LOG_EVENTS_TO: path })
  assert.equal(await send(ingest, 'no-token', '{}', { 'x-gitlab-token': 'wrong' }), 401)
  assert.equal(await send(ingest, 'no-object', '[]'), 400)
  assert.equal(await send(ingest, 'good'), 202)
  await until(async () => (await lines(path)).length > 0, 'there is a line')
  assert.deepEqual(await ids(path), ['good'])
})

test('after SIGHUP the log goes on in a new file, and no line is lost', async () => {
  const path = join(directory, 'rotated.log')
  const ingest = await stage.start('ingest', { LOG_EVENTS_TO: path })
  const names = Array.from({ length: 200 }, (_, index) => `rotated-${index}`)
  let sent = 0
  const sendOne = async (id: string) => {
    assert.equal(await send(ingest, id), 202)
    sent++
  }
  const sending = Promise.all(names.map(sendOne))
  await until(() => sent > 20, 'some are accepted')
  await rename(path, `${path}.1`)
  process.kill(ingest.pid(), 'SIGHUP')
  await until(() => stat(path), 'there is a new file')
  await sending
  assert.equal(await send(ingest, 'last'), 202)
  await until(async () => (await ids(path)).includes('last'), 'the last one is in the new file')
  assert.equal(await ingest.stop(), 0)
  const all = [...(await ids(`${path}.1`)), ...(await ids(path))]
  assert.deepEqual(all.toSorted(), [...names, 'last'].toSorted())
})

test('a stop leaves no accepted delivery out of the log', async () => {
  const path = join(directory, 'stopped.log')
  const ingest = await stage.start('ingest', { LOG_EVENTS_TO: path })
  const names = Array.from({ length: 100 }, (_, index) => `stopped-${index}`)
  await Promise.all(names.map((id) => send(ingest, id, hookText('push'))))
  assert.equal(await ingest.stop(), 0)
  assert.deepEqual((await ids(path)).toSorted(), names.toSorted())
})

test('what is in the log already stays', async () => {
  const path = join(directory, 'again.log')
  for (const id of ['before', 'after']) {
    const ingest = await stage.start('ingest', { LOG_EVENTS_TO: path })
    assert.equal(await send(ingest, id), 202)
    assert.equal(await ingest.stop(), 0)
  }
  assert.deepEqual(await ids(path), ['before', 'after'])
})

test('a line that was torn off swallows nothing: the next delivery has a line of its own', async () => {
  const path = join(directory, 'torn.log')
  const torn = '{"id":"torn","receivedAt":"2026-11-23T10:00:00.000Z","headers":{},"body":"{\\"object_ki'
  await writeFile(path, torn)
  const ingest = await stage.start('ingest', { LOG_EVENTS_TO: path })
  assert.equal(await send(ingest, 'next'), 202)
  const text = () => readFile(path, 'utf8')
  await until(async () => (await text()).endsWith('}\n'), 'it is in the log')
  await writeFile(path, (await text()) + torn)
  process.kill(ingest.pid(), 'SIGHUP')
  await until(async () => (await text()).endsWith(`${torn}\n`), 'it has been opened anew')
  assert.equal(await send(ingest, 'after-a-rotation'), 202)
  assert.equal(await ingest.stop(), 0)
  const [first, second, third, fourth, ...none] = (await text()).split('\n').slice(0, -1)
  assert.deepEqual([first, third, none], [torn, torn, []])
  const read = [second, fourth].map((line) => deliverySchema.parse(readJson(line ?? '')).id)
  assert.deepEqual(read, ['next', 'after-a-rotation'])
})

test('a log that ingest makes can be read by nobody else, and one that is there keeps its mode', async () => {
  const mode = async (path: string) => (await stat(path)).mode & 0o777
  const shared = join(directory, 'shared.log')
  await writeFile(shared, '')
  await chmod(shared, 0o640)
  for (const path of [join(directory, 'private.log'), shared]) {
    const ingest = await stage.start('ingest', { LOG_EVENTS_TO: path })
    assert.equal(await send(ingest, 'private'), 202)
    assert.equal(await mode(path), path === shared ? 0o640 : 0o600)
    await rename(path, `${path}.1`)
    process.kill(ingest.pid(), 'SIGHUP')
    await until(() => stat(path), 'there is a new file')
    assert.equal(await mode(path), 0o600)
    assert.equal(await ingest.stop(), 0)
  }
})

const unusable = { 'a directory': '', 'in a directory that does not exist': 'no/such/file' }
for (const [name, path] of Object.entries(unusable)) {
  test(`ingest does not start when its log would be ${name}`, async () => {
    await mkdir(join(directory, 'unusable'), { recursive: true })
    const environment: Environment = { ...stage.environment, LOG_EVENTS_TO: join(directory, 'unusable', path) }
    const ingest = startProcess('ingest', environment)
    assert.equal(await ingest.exit, 78)
    assert.match(ingest.text(), /LOG_EVENTS_TO: expected a file/)
  })
}

test('a log on a full disk costs no delivery and is said aloud', { skip: process.platform !== 'linux' }, async () => {
  const ingest = await stage.start('ingest', { LOG_EVENTS_TO: '/dev/full' })
  assert.equal(await send(ingest, 'full-1'), 202)
  await until(() => ingest.text().includes('cannot write the event log'), 'it says so')
  assert.equal(await send(ingest, 'full-2'), 202)
  assert.equal(await ingest.stop(), 0)
})

// A byte order mark before the JSON is no fault, wherever the body is read; and it is kept, as every byte is.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bodyOf } from '#shared/journal/body.ts'
import { readFeed } from '../support/feed.ts'
import { ops } from '../support/ops.ts'
import { post } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { type Flow, mergeRequestHook, openFlow, verbs } from './flow.ts'

let flow: Flow
let log: string
let body: string

before(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-mark-'))
  log = join(directory, 'events.log')
  flow = await openFlow(() => ({ LOG_EVENTS_TO: log }))
  flow.defer(() => rm(directory, { recursive: true }))
  body = `\ufeff${JSON.stringify(mergeRequestHook(flow))}`
})
after(() => flow?.close())

const journal = async () => await flow.database.selectFrom('bodies').selectAll().where('delivery', '=', 'marked').execute()

test('a body with a byte order mark has its effects, its message, and its place in the journal, to the byte', async () => {
  const feed = await readFeed(`http://127.0.0.1:${flow.ingest.port()}/sse/`)
  flow.defer(feed.close)
  assert.equal((await post(flow.ingest, body, { 'idempotency-key': 'marked' })).status, 202)
  await flow.settled()
  assert.equal(verbs(flow, 1), 'opened')
  const message = await until(() => feed.messages[0], 'it is on the feed')
  assert.equal(JSON.parse(message.data).meta.id, 'marked')
  const [row] = await until(async () => ((await journal()).length === 1 ? await journal() : undefined), 'it is in the journal')
  assert.ok(row)
  assert.equal(await bodyOf(row.body), body)
  const logged = await until(() => readFile(log, 'utf8'), 'it is in the event log')
  assert.equal(JSON.parse(logged).body, body)
})

test('it comes again from the journal and from the event log, and nothing is made twice', async () => {
  const again = await ops(flow.environment, 'redeliver', 'marked', '--reason', 'a test', '--json')
  assert.equal(JSON.parse(again.out).redelivered, 1)
  await flow.settled()
  await flow.redis.flushall()
  const imported = await ops(flow.environment, 'import', log, '--reason', 'a test', '--json')
  assert.deepEqual([JSON.parse(imported.out).imported, imported.code], [1, 0])
  await flow.settled()
  assert.equal(verbs(flow, 1), 'opened')
  for (const name of ['deliveries', 'phabricator', 'sse'] as const) assert.deepEqual(await flow.dead(name), [])
})

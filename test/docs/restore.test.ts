// The restore drill of docs/run.md, typed as it stands there: the database and Redis are lost, what is left are last
// night's dump and the event log. In the end everything exists, and nothing twice.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { botNotes, mergeRequestHook, verbs } from '../flow/flow.ts'
import { readFeed } from '../support/feed.ts'
import { runSql } from '../support/servers.ts'
import type { Environment, Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { blocksOf } from './documents.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

const hasTools = spawnSync('mariadb-dump', ['--version']).status === 0 && spawnSync('mariadb', ['--version']).status === 0
const skip = !hasTools && 'mariadb-dump is not installed here: bin/setup mariadb-dump'

let stage: Stage
let workspace: Workspace
let environment: Environment
let ingest: Process
let worker: Process

before(async () => {
  stage = await openStage()
  workspace = await openWorkspace(stage.databaseUrl)
  stage.defer(workspace.close)
  environment = { ...stage.environment, LOG_EVENTS_TO: join(workspace.directory, 'events.log') }
  ;[ingest, worker] = await Promise.all([stage.start('ingest', environment), stage.start('worker')])
})
after(() => stage?.close())

async function deliver(id: string, fixture: string): Promise<void> {
  assert.equal((await post(ingest, mergeRequestHook(stage, {}, fixture), { 'idempotency-key': id })).status, 202)
}

async function type(heading: string, index = 0): Promise<void> {
  const block = blocksOf('docs/run.md').filter((one) => one.heading === heading && !one.elsewhere)[index]
  assert.ok(block, `${heading} has ${index + 1} blocks`)
  await workspace.run(block, environment)
}

const settled = async (deliveries: number) => {
  const rows = await stage.database.selectFrom('effects').select(['delivery', 'state']).execute()
  return new Set(rows.map(({ delivery }) => delivery)).size === deliveries && rows.every(({ state }) => state !== 'planned')
}

test('after the loss of the database and of Redis a dump and the event log bring back what was, and make what was not', {
  skip,
}, async () => {
  await deliver('before-the-dump', 'merge-request-open')
  await until(() => settled(1), 'the first delivery is done, and in the journal')
  await type('Back up')
  await deliver('after-the-dump', 'merge-request-close')
  await until(() => settled(2), 'the second one, too')
  await worker.stop()
  await deliver('never-performed', 'merge-request-reopen')

  await stage.redis.flushall()
  const name = new URL(stage.databaseUrl).pathname.slice(1)
  const server = new URL('/mysql', stage.databaseUrl).href
  await runSql(server, `drop database ${name}`)
  await runSql(server, `create database ${name}`)
  await type('Restore', 0)
  await stage.start('worker')
  await type('Restore', 1)

  await until(() => verbs(stage, 1) === 'opened closed reopened', 'what was missing is made, in order')
  await until(() => settled(3), 'the journal is complete')
  assert.equal(verbs(stage, 2), 'opened closed reopened')
  assert.equal(botNotes(stage).length, 1)
  const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`, { 'last-event-id': '0-0' })
  stage.defer(reader.close)
  const messages = () => reader.messages.flatMap(({ event, data }) => (event === undefined ? [String(JSON.parse(data).meta.id)] : []))
  await until(() => messages().length >= 3, 'the feed has them')
  assert.deepEqual(messages().toSorted(), ['after-the-dump', 'before-the-dump', 'never-performed'])
})

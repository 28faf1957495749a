// Toolforge's shared Redis: it throws away what it likes, forgets at a restart, and many commands are renamed away. The
// service works there as long as nothing is lost, and says loudly why it is the wrong place.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { botNotes, mergeRequestHook, verbs } from '../flow/flow.ts'
import { readFeed } from '../support/feed.ts'
import { ops } from '../support/ops.ts'
import { type Server, startRedis } from '../support/servers.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const renamedAway = 'CLIENT CONFIG DEBUG FLUSHALL FLUSHDB KEYS MONITOR RANDOMKEY REPLICAOF SCAN SHUTDOWN SLAVEOF'.split(' ')
const settings = ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru', '--timeout', '600']

let redis: Server
let stage: Stage
let ingest: Process
let worker: Process

before(async () => {
  redis = await startRedis({ settings: [...settings, ...renamedAway.flatMap((command) => ['--rename-command', command, ''])] })
  stage = await openStage({ REDIS_URL: redis.url })
  stage.defer(() => redis.stop())
  ;[ingest, worker] = await Promise.all([stage.start('ingest'), stage.start('worker')])
})
after(() => stage?.close())

test('a merge request is carried to Phabricator, GitLab and the feed without the commands that are missing there', async () => {
  const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`)
  stage.defer(reader.close)
  assert.equal((await post(ingest, mergeRequestHook(stage))).status, 202)
  await until(() => verbs(stage, 1) === 'opened' && botNotes(stage).length === 1 && reader.messages.length === 1, 'everything is there')
  const metrics = await (await fetch(`http://127.0.0.1:${worker.port()}/metrics`)).text()
  assert.match(metrics, /gitlab_webhooks_queue_jobs\{queue="journal",state="waiting"\} \d/)
})

test('both processes say that it is no place for a queue, and the operator sees how things stand', async () => {
  for (const { text } of [ingest, worker])
    await until(() => text().includes('maxmemory-policy is allkeys-lru, must be noeviction'), 'it says so')
  const said = await ops(stage.environment, 'status', '--json')
  assert.equal(said.code, 0, said.err)
})

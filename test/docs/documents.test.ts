// What the documents say can be typed: every shell block is well formed, those that can be are run beside a running
// service, every command and link is one that exists.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openQueues, type Queues } from '#sinks/queues.ts'
import { mergeRequestHook, verbs } from '../flow/flow.ts'
import type { Environment } from '../support/service.ts'
import { untilSettled } from '../support/settled.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { shown } from './add-a-sink.ts'
import { anchorsOf, blocksOf, documents, linksOf, readDocument, root, verbsIn } from './documents.ts'
import { missingFor, openWorkspace, type Workspace } from './workspace.ts'

const has = (program: string) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0

test('every shell block is one that a shell can read', () => {
  for (const document of documents())
    for (const { line, text } of blocksOf(document)) {
      const { status, stderr } = spawnSync('sh', ['-n', '-c', text.replaceAll(/<([a-z ]+)>/g, '"$1"')], { encoding: 'utf8' })
      assert.equal(status, 0, `${document}:${line}: ${stderr}`)
    }
})

test('every link within the project leads somewhere', () => {
  for (const document of documents())
    for (const link of linksOf(document)) {
      const [path = '', anchor] = link.split('#')
      assert.ok(existsSync(root + path), `${document}: ${link}`)
      if (anchor !== undefined) assert.ok(anchorsOf(path).includes(anchor), `${document}: ${link}`)
    }
})

test('every verb of bin/ops that a document names is one', () => {
  const help = execFileSync(join(root, 'bin/ops'), ['--help'], { encoding: 'utf8' })
  const known = new Set([...help.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, verb]) => verb))
  for (const document of documents())
    for (const verb of verbsIn(readDocument(document))) assert.ok(known.has(verb), `${document}: bin/ops ${verb}`)
})

test('every test and file that a document names exists, or is made by what it shows', () => {
  const made = new Set(shown().map(({ path }) => path))
  for (const document of documents()) {
    const named = [...readDocument(document).matchAll(/`((?:test|deploy|apps|packages|docs)\/[\w./-]+)`/g)].map(([, path = '']) => path)
    assert.deepEqual(
      named.filter((path) => !existsSync(root + path) && !made.has(path)),
      [],
      document,
    )
  }
})

describe('beside a running service', () => {
  let stage: Stage
  let workspace: Workspace
  let environment: Environment
  let queues: Queues

  before(async () => {
    stage = await openStage()
    queues = openQueues({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })
    workspace = await openWorkspace(stage.databaseUrl)
    stage.defer(workspace.close)
    const logged = { LOG_EVENTS_TO: join(workspace.directory, 'events.log') }
    const [ingest] = await Promise.all([stage.start('ingest', logged), stage.start('worker')])
    await post(ingest, mergeRequestHook(stage), { 'idempotency-key': 'a-delivery' })
    // A task that does not exist: that effect dies at once.
    await post(ingest, mergeRequestHook(stage, { iid: 2, description: 'Bug: T99999' }), { 'idempotency-key': 'a-sad-delivery' })
    const dead = () => stage.database.selectFrom('effects').select('error').where('state', '=', 'dead').executeTakeFirst()
    await until(() => verbs(stage, 1) === 'opened', 'one delivery is done')
    const letter = await until(dead, 'the other one is dead')
    // The service is there since yesterday.
    const yesterday = { received_at: new Date(Date.now() - 86_400_000), kind: 'push', origin: 'hook' }
    const understood = { action: null, project: null, iid: null, username: null, title: null }
    await stage.database
      .insertInto('deliveries')
      .values({ id: 'of-yesterday', ...yesterday, ...understood })
      .execute()
    environment = {
      ...stage.environment,
      ...logged,
      PORT: String(ingest.port()),
      DELIVERY: 'a-sad-delivery',
      ERROR: letter.error ?? '',
      SWITCHED: new Date(Date.now() - 60_000).toISOString(),
    }
  })
  after(() => stage?.close())

  // What a block begins goes on behind it, and some tell of what is under way.
  const settled = () => untilSettled(queues, { redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })

  // What is written under Restore is the matter of restore.test.ts.
  const run = ['docs/run.md', 'docs/runbook.md', 'docs/toolforge.md', 'docs/migrate.md', 'docs/how-it-works.md'].flatMap(blocksOf)
  const seen = new Set<string>()
  for (const block of run.filter(({ elsewhere, heading }) => !elsewhere && heading !== 'Restore')) {
    if (seen.has(block.text)) continue
    seen.add(block.text)
    const missing = missingFor(block, has)
    const skip = missing.length > 0 && `${missing.join(' and ')} is not installed here: bin/setup ${missing.join(' ')}`
    test(`${block.document}, line ${block.line}, does what it says`, { skip }, async () => {
      await settled()
      await workspace.run(block, environment)
    })
  }

  test('in the end everything exists once, however much was sent through again', async () => {
    await settled()
    assert.deepEqual([verbs(stage, 1), verbs(stage, 2)], ['opened', 'opened'])
  })
})

// Bodies nested deeper than anybody writes by hand: whoever can read them does, and the feed says why it does not.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { beginning } from '#shared/event/cursor.ts'
import { queueNames } from '#sinks/queues.ts'
import { feedJournal } from '../../apps/ingest/feed/journal.ts'
import { type Reader, readFeed } from '../support/feed.ts'
import { ops } from '../support/ops.ts'
import { post } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { type Flow, mergeRequestHook, openFlow } from './flow.ts'

let flow: Flow
let reader: Reader
before(async () => {
  flow = await openFlow(() => ({ SINKS_ENABLED: 'phabricator,sse' }))
  reader = await readFeed(`http://127.0.0.1:${flow.ingest.port()}/sse/`)
  flow.defer(reader.close)
  flow.sandbox.gitlab.mergeRequest(42, 1).commits = []
})
after(() => flow?.close())

const nestings: Record<string, (levels: number) => string> = {
  lists: (levels) => '['.repeat(levels) + ']'.repeat(levels),
  objects: (levels) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
}
const sentence = 'it is nested more than 100 levels deep'

// Put together as text, since what writes JSON does not come so far down.
function bodyOf(deep: string, task = 1): string {
  const changes = { labels: { previous: 'HERE', current: 'HERE' } }
  const body = { ...mergeRequestHook(flow, { description: `Bug: T${task}` }), changes, extra: 'HERE' }
  return JSON.stringify(body).replaceAll('"HERE"', deep)
}

async function sendText(body: string, id: string): Promise<void> {
  assert.equal((await post(flow.ingest, body, { 'idempotency-key': id })).status, 202)
  await noDeadLetters()
}

async function noDeadLetters(): Promise<void> {
  await flow.settled()
  for (const name of queueNames) assert.deepEqual(await flow.dead(name), [], name)
}

const storySchema = z.object({ decisions: z.array(z.object({ sink: z.string(), reason: z.string().nullable() })) })

async function reasonOf(id: string): Promise<string | null | undefined> {
  const { out } = await ops(flow.environment, 'explain', id, '--json')
  return storySchema.parse(JSON.parse(out)).decisions.find(({ sink }) => sink === 'sse')?.reason
}

const published = () => reader.messages.map(({ data }): unknown => JSON.parse(data).meta.id)
const comments = (task = 1) => flow.sandbox.phabricator.comments(task).length

for (const [kind, nesting] of Object.entries(nestings)) {
  for (const levels of [3000, 100_000]) {
    test(`${levels} ${kind} within each other: the task is commented on, and the feed says why it has no message`, async () => {
      const id = `${kind}-${levels}`
      const before = comments()
      await sendText(bodyOf(nesting(levels)), id)
      assert.equal(comments(), before + 1)
      assert.equal(await reasonOf(id), sentence)
    })
  }
}

test('what is nested less deep is on the feed whole, and so is what comes after', async () => {
  const deep = nestings.objects?.(90) ?? ''
  await sendText(bodyOf(deep), 'fair')
  await sendText(bodyOf('1'), 'flat')
  await until(() => published().length === 2, 'both have come')
  assert.deepEqual(published(), ['fair', 'flat'])
  assert.ok(reader.messages[0]?.data.includes(deep))
})

test('`redeliver` and `import` take such a body, too, and nothing is made twice', async () => {
  await sendText(bodyOf(nestings.lists?.(3000) ?? '', 2), 'again')
  const redelivered = await ops(flow.environment, 'redeliver', 'again', '--reason', 'a test')
  assert.equal(redelivered.code, 0, redelivered.err)
  await noDeadLetters()
  assert.equal(comments(2), 1)

  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-nested-'))
  flow.defer(() => rm(directory, { recursive: true }))
  const file = join(directory, 'events.log')
  const line = { id: 'imported', receivedAt: new Date().toISOString(), headers: {}, body: bodyOf(nestings.lists?.(3000) ?? '', 5) }
  await writeFile(file, `${JSON.stringify(line)}\n`)
  const imported = await ops(flow.environment, 'import', file, '--reason', 'a test')
  assert.equal(imported.code, 0, imported.err)
  await noDeadLetters()
  assert.equal(comments(5), 1)
  assert.equal(await reasonOf('imported'), sentence)
})

test('one that a former release published is left out of the history, and the others are in it', async () => {
  const { database } = flow
  for (const id of ['first', 'old', 'last']) await sendText(bodyOf('1'), id)
  const body = gzipSync(bodyOf(nestings.objects?.(3000) ?? ''))
  await database.updateTable('bodies').set({ body }).where('delivery', '=', 'old').execute()
  await database.updateTable('messages').set({ rules: 0 }).execute()
  const journal = feedJournal({ database, gitlabUrl: 'https://gitlab.example', feedPrivate: false })
  const entries = await until(async () => {
    const all = await journal.read(beginning, undefined)
    return all.length === 5 ? all : undefined
  }, 'all are recorded')
  const told = entries.map(({ message }): unknown => (message === undefined ? undefined : JSON.parse(message.toString()).meta.id))
  assert.deepEqual(told.slice(-3), ['first', undefined, 'last'])
})

// Redis lost for ever: the event log and the journal hold every delivery, and nothing is made twice.
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openQueues, type Queues } from '#sinks/queues.ts'
import { readFeed } from '../support/feed.ts'
import { hookText } from '../support/fixtures.ts'
import { ops } from '../support/ops.ts'
import type { Process } from '../support/service.ts'
import { untilSettled } from '../support/settled.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let directory: string
let log: string
let ingest: Process
let queues: Queues

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-recover-'))
  log = join(directory, 'events.log')
  stage = await openStage({ LOG_EVENTS_TO: log, SPOOL_DIR: join(directory, 'spool') })
  ingest = await stage.start('ingest')
  queues = openQueues({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })
})
after(async () => {
  await stage?.close()
  await rm(directory, { recursive: true })
})

async function deliver(id: string, hook: string): Promise<void> {
  const answer = await post(ingest, hookText(hook, stage.sandbox.gitlab.url), { 'idempotency-key': id })
  assert.equal(answer.status, 202)
}

const comments = () => stage.sandbox.phabricator.comments(1).map((text) => text.split(' ')[1])
const notes = () => stage.sandbox.gitlab.mergeRequest(42, 1)?.notes.filter(({ author }) => author === stage.sandbox.gitlab.state.bot).length
const inJournal = async () => (await stage.database.selectFrom('deliveries').select('id').execute()).length
const settled = () => untilSettled(queues, { redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })

test('what was never routed comes from the event log', async () => {
  await deliver('first', 'merge-request-open')
  await deliver('second', 'merge-request-close')
  await stage.redis.flushall()
  await appendFile(log, 'not a delivery\n')
  const said = await ops(stage.environment, 'import', log, '--reason', 'Redis was lost', '--json')
  assert.equal(said.code, 1, 'one line is bad')
  assert.match(said.err, /events\.log:3: expected an object/)
  assert.equal(JSON.parse(said.out).imported, 2)

  await stage.start('worker')
  await until(() => comments().length === 2, 'both deliveries have come out')
  assert.deepEqual(comments(), ['opened', 'closed'])
})

test('what was lost after it had been done is not done twice', async () => {
  await settled()
  assert.equal(await inJournal(), 2)
  const url = `http://127.0.0.1:${ingest.port()}/sse/`
  const reader = await readFeed(url, { 'last-event-id': '0-0' })
  stage.defer(reader.close)
  await until(() => reader.messages.length === 2, 'the reader has both messages')
  await stage.redis.flushall()
  assert.equal((await ops(stage.environment, 'redeliver', '--since', '1h', '--reason', 'Redis was lost again')).code, 0)
  await deliver('third', 'merge-request-reopen')
  await until(() => comments().includes('reopened'), 'the later delivery has come out')
  assert.deepEqual(comments(), ['opened', 'closed', 'reopened'])
  assert.equal(notes(), 1)

  // Something may have been lost with Redis, and readers are told; but what was there before has its place again.
  const isMessage = ({ event }: { event?: string | undefined }) => event === undefined
  await until(() => reader.messages.filter(isMessage).length >= 3, 'the reader has the later message')
  const whoComesBack = await readFeed(url, { 'last-event-id': '0-0' })
  stage.defer(whoComesBack.close)
  await until(() => whoComesBack.messages.filter(isMessage).length >= 3, 'who comes back has all messages')
  assert.deepEqual(
    [reader, whoComesBack].map(({ messages }) => messages.filter(({ event }) => event === 'gap').length),
    [1, 1],
  )
  const seen = (messages: typeof reader.messages) => messages.filter(isMessage).map(({ id, data }) => [id, JSON.parse(data).meta.id])
  assert.deepEqual(
    seen(reader.messages).map(([, delivery]) => delivery),
    ['first', 'second', 'third'],
  )
  assert.deepEqual(seen(whoComesBack.messages), seen(reader.messages))
})

test('a delivery is sent through again without Redis being lost, and makes only what is missing', async () => {
  await settled()
  assert.equal(await inJournal(), 3)
  const rows = await stage.database.selectFrom('effects').select(['id', 'ended_at']).where('delivery', '=', 'first').execute()
  assert.equal((await ops(stage.environment, 'redeliver', 'first', '--reason', 'a comment is missing')).code, 0)
  const again = async () =>
    await stage.database.selectFrom('effects').select(['id', 'ended_at', 'state', 'link']).where('delivery', '=', 'first').execute()
  await until(async () => {
    const now = await again()
    return (
      now.length === rows.length &&
      now.filter(({ id, ended_at }) => Number(ended_at) > Number(rows.find((row) => row.id === id)?.ended_at)).length > 0
    )
  }, 'effects were performed again')
  assert.deepEqual(comments(), ['opened', 'closed', 'reopened'])
  assert.equal(notes(), 1)
  const note = (await again()).find(({ id }) => id.includes('gitlab-mentions'))
  assert.equal(note?.state, 'done', 'what was done stays done in the journal')
})

test('an operator learns which deliveries the journal does not have, and every act is written down', async () => {
  const said = await ops(stage.environment, 'redeliver', 'nobody-knows', '--reason', 'a comment is missing')
  assert.equal(said.code, 1)
  assert.match(said.err, /nobody-knows: no such delivery/)
  const acts = await stage.database.selectFrom('acts').select(['verb', 'reason', 'count']).orderBy('at').execute()
  assert.deepEqual(
    acts.map(({ verb, reason, count }) => [verb, reason, count]),
    [
      ['import', 'Redis was lost', 2],
      ['redeliver', 'Redis was lost again', 2],
      ['redeliver', 'a comment is missing', 1],
      ['redeliver', 'a comment is missing', 0],
    ],
  )
})

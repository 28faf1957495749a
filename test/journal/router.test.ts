// A delivery that the router can do nothing with is a dead letter like any other: in the journal, with its body.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import type { Delivery } from '#shared/event/delivery.ts'
import { parseEvent } from '#shared/event/event.ts'
import { bodyOf } from '#shared/journal/body.ts'
import { openJournal } from '#shared/journal/entry.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import { addToOutbox } from '#shared/queue/outbox.ts'
import { groupDead } from '../../apps/ops/actions/dead.ts'
import { listDeliveries } from '../../apps/ops/actions/deliveries.ts'
import { hookText } from '../support/fixtures.ts'
import { ops } from '../support/ops.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
  await stage.start('worker')
})
after(() => stage?.close())

const row = (id: string) =>
  stage.database.selectFrom('effects').select(['state', 'reason', 'error']).where('id', '=', id).executeTakeFirst()
// The recorder may have written that a delivery is a dead letter before the delivery itself.
const bodyRow = (id: string) =>
  until(() => stage.database.selectFrom('bodies').selectAll().where('delivery', '=', id).executeTakeFirst(), 'its body is kept')
const place = () => ({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })

test('a delivery whose body cannot be read is found, explained, and kept to the byte', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-router-'))
  stage.defer(() => rm(directory, { recursive: true }))
  const log = join(directory, 'events.log')
  const delivery = { id: 'not-a-body', receivedAt: '2026-11-01T10:00:00.000Z', headers: { 'x-gitlab-event': 'System Hook' }, body: '["é"' }
  await writeFile(log, `${JSON.stringify(delivery)}\n`)
  assert.equal((await ops(stage.environment, 'import', log, '--reason', 'to be sure')).code, 0)
  await until(() => row('not-a-body/router/delivery'), 'it is a dead letter')
  const kept = await bodyRow('not-a-body')

  const said = await ops(stage.environment, 'dead', '--sink', 'router', '--json')
  const [letter] = z.array(z.record(z.string(), z.unknown())).parse(JSON.parse(said.out))
  assert.deepEqual(
    [letter?.id, letter?.delivery, letter?.reason],
    ['not-a-body/router/delivery', 'not-a-body', 'The body of delivery not-a-body is not a JSON object.'],
  )
  const groups = await groupDead(stage.database, { sink: 'router' })
  assert.deepEqual(
    groups.map(({ sinks, count }) => [sinks, count]),
    [[['router'], 1]],
  )
  const found = await until(async () => (await listDeliveries(stage.database, { sink: 'router', state: 'dead' }))[0], 'it is listed')
  assert.deepEqual([found.id, found.receivedAt, found.kind, found.dead], ['not-a-body', delivery.receivedAt, 'unknown', 1])
  const explained = await ops(stage.environment, 'explain', 'not-a-body')
  assert.match(explained.out, /router: dead {2}The body of delivery not-a-body is not a JSON object/)
  assert.equal(await bodyOf(kept.body), delivery.body)
  assert.deepEqual(JSON.parse(kept.headers), delivery.headers)
})

test('a job that carries no delivery at all is kept as it is', async () => {
  await openQueue(place(), 'deliveries').add('delivery', { what: 'is this' }, { jobId: 'delivery/strange' })
  const kept = await bodyRow('strange')
  assert.deepEqual(JSON.parse(await bodyOf(kept.body)), { what: 'is this' })
  await until(() => row('strange/router/delivery'), 'it is a dead letter')
})

test('when it can be routed after all it is no dead letter any more, and the journal knows what it was', async () => {
  const delivery: Delivery = { id: 'later', receivedAt: new Date().toISOString(), headers: {}, body: hookText('merge-request-close') }
  const journal = openJournal(place(), () => undefined)
  for (const entry of await journal.unrouted(delivery, 'The router died of it.', 3)) await addToOutbox(place(), entry)
  await until(async () => (await row('later/router/delivery'))?.state === 'dead', 'it is a dead letter')
  await addToOutbox(place(), await journal.routed(delivery, parseEvent(delivery), { decisions: [], effects: [], whole: true }))
  await until(async () => (await row('later/router/delivery'))?.state === 'done', 'it is none any more')
  assert.deepEqual(await row('later/router/delivery'), { state: 'done', reason: null, error: null })
  const found = await until(async () => (await listDeliveries(stage.database, { kind: 'merge_request', text: 'alice' }))[0], 'it is found')
  assert.equal(found.id, 'later')
})

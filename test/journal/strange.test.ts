// What is strange about one body, entry or job costs no other its place in the journal; and what cannot be recorded as it is
// has a dead letter there.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { z } from 'zod'
import { effectId } from '#shared/event/effect.ts'
import { parseEvent } from '#shared/event/event.ts'
import { bodyOf } from '#shared/journal/body.ts'
import type { JournalEntry } from '#shared/journal/entry.ts'
import { type Flow, mergeRequestHook, openFlow } from '../flow/flow.ts'
import { ops } from '../support/ops.ts'
import { until } from '../support/until.ts'

let flow: Flow
before(async () => {
  flow = await openFlow()
})
after(() => flow?.close())

const noTimes = ['-000001-01-01T00:00:00Z', '+012345-01-01T00:00:00Z', '0001-01-01 00:00:00 UTC', '1969-12-31T23:59:59.999Z', '']
const byId = <Row>(rows: Row[], id: (row: Row) => string) => new Map(rows.map((row) => [id(row), row]))
const known = async () => byId(await flow.database.selectFrom('deliveries').selectAll().execute(), ({ id }) => id)
const effects = async () => byId(await flow.database.selectFrom('effects').selectAll().execute(), ({ id }) => id)

test('hooks with times that are none are in the journal and on the feed, with all that came beside them', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `d${index}`)
  await Promise.all(
    ids.map((id, index) => {
      const time = index % 4 === 2 ? { updated_at: noTimes[(index - 2) / 4] } : {}
      return flow.send(mergeRequestHook(flow, { description: 'no task', iid: 1, ...time }), id)
    }),
  )
  const onFeed = async () => new Set((await flow.database.selectFrom('feed').select('delivery').execute()).map(({ delivery }) => delivery))
  const missing = async () => {
    const [rows, messages] = [await known(), await onFeed()]
    return ids.filter((id) => !rows.has(id) || !messages.has(id))
  }
  await until(async () => (await missing()).length === 0, 'all are there')
  assert.deepEqual(await flow.dead('journal'), [])
  assert.deepEqual(await flow.dead('sse'), [])
})

test('whatever stands where a time should be, an event is of a time from 1970 on until it was received', () => {
  const isTime = z.iso.datetime()
  const receivedAt = '2026-11-30T10:00:00.000Z'
  const any = fc.oneof(
    fc.constantFrom(...noTimes, '275760-09-13', '-271821-04-20T00:00:00Z'),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.string(),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(any, (updated_at) => {
      const body = JSON.stringify({ object_kind: 'merge_request', object_attributes: { updated_at } })
      const { since } = parseEvent({ id: 'd', receivedAt, headers: {}, body })
      assert.ok(isTime.safeParse(since).success, since)
      assert.ok(since >= '1970-01-01T00:00:00.000Z' && since <= receivedAt, since)
    }),
    { numRuns: 500 },
  )
})

const receivedAt = new Date().toISOString()
const body = (text: string) => gzipSync(text).toString('base64')
const told = (id: string): JournalEntry => ({
  type: 'delivery',
  id,
  receivedAt,
  headers: {},
  body: body(`{"of":"${id}"}`),
  kind: 'push',
  decisions: [],
  effects: [],
})

test('of what the journal is told together each stands for itself; of what it cannot keep the body stays, and why', async () => {
  const timeless = { id: effectId('timeless', 'phabricator', 'T1'), delivery: 'timeless', sink: 'phabricator', order: 'x' }
  const entries = [
    told('before'),
    { ...told('odd'), receivedAt: '-000001-01-01T00:00:00Z', kind: 7 },
    { type: 'ended', effect: { ...timeless, since: '-000001-01-01T00:00:00Z' }, state: 'done', attempts: 1, endedAt: receivedAt },
    { type: 'failed', effect: 'x', number: 1, at: receivedAt, ms: -5, reason: 'r' },
    'nonsense',
    told('behind'),
  ]
  await flow.queues.journal.add('entries', { entries }, { attempts: 8 })
  await until(async () => (await flow.dead('journal')).length === 1, 'what cannot be kept is told')
  const rows = await known()
  assert.deepEqual([rows.get('before')?.kind, rows.get('behind')?.kind, rows.get('odd')?.kind], ['push', 'push', 'unknown'])
  const letter = (await effects()).get('odd/router/delivery')
  assert.equal(letter?.state, 'dead')
  assert.match(letter?.reason ?? '', /^The journal cannot keep it as it is: .*receivedAt/)
  const kept = await flow.database.selectFrom('bodies').selectAll().where('delivery', '=', 'odd').executeTakeFirstOrThrow()
  assert.equal(await bodyOf(kept.body), '{"of":"odd"}')
  assert.equal((await effects()).get(timeless.id)?.state, 'done')
  assert.match((await ops(flow.environment, 'doctor')).out, /dead jobs in journal: 1/)
  await flow.queues.journal.clean(0, 10, 'failed')
})

test('a job that carries no effect is a dead letter in the journal, and is let go like any other', async () => {
  const effect = { id: 'jobless/phabricator/T1', delivery: 'jobless', sink: 'phabricator', order: '', since: '-000001-01-01T00:00:00Z' }
  await flow.queues.phabricator.add('effect', { ...effect, data: {} }, { jobId: effect.id, attempts: 8 })
  await flow.queues.phabricator.add('effect', 'nothing at all', { jobId: 'nothing', attempts: 8 })
  const state = async (id: string) => (await effects()).get(id)?.state
  await until(async () => (await state(effect.id)) === 'dead' && (await state('nothing')) === 'dead', 'they are dead letters')
  const { out } = await ops(flow.environment, 'dead', '--sink', 'phabricator', '--json')
  assert.match(out, /"delivery":"jobless"|"delivery": "jobless"/)
  const discarded = await ops(flow.environment, 'discard', effect.id, 'nothing', '--reason', 'no effects')
  assert.equal(discarded.code, 0, discarded.err)
  assert.deepEqual([await state(effect.id), await state('nothing')], ['discarded', 'discarded'])
})

// Many entries are written together. What comes of them is what would have come of one after another, in any order.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { sql } from 'kysely'
import { type Effect, effectId, feedOrder } from '#shared/event/effect.ts'
import { type Database, migrate } from '#shared/journal/database.ts'
import type { JournalEntry } from '#shared/journal/entry.ts'
import { writeEntries } from '#shared/journal/write.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
  await migrate(stage.database)
})
after(() => stage?.close())

const tables = ['deliveries', 'words', 'bodies', 'decisions', 'effects', 'attempts', 'feed'] as const
const day = Date.parse('2026-11-01T10:00:00.000Z')
const time = (second: number) => new Date(day + second * 1000).toISOString()

function effectOf(delivery: string, about: string): Omit<Effect, 'data'> {
  const sink = about === 'message' ? 'sse' : 'phabricator'
  return { id: effectId(delivery, sink, about), delivery, sink, order: about === 'message' ? feedOrder : about, since: time(0) }
}

// All that is told of one delivery.
function entriesOf(delivery: string, failures: number, isDead: boolean, isAhead = false): JournalEntry[] {
  const [message, task, further] = [effectOf(delivery, 'message'), effectOf(delivery, 'T12'), effectOf(delivery, 'T13')]
  const body = gzipSync(JSON.stringify({ of: delivery })).toString('base64')
  const read = { project: 'a/b', iid: 3, title: `Mend the ${delivery}`, username: 'alice', decisions: [{ sink: 'sse' }] }
  return [
    { type: 'delivery', id: delivery, receivedAt: time(0), headers: {}, body, kind: 'push', ...read, effects: [message, task] },
    ...Array.from({ length: failures }, (_, index): JournalEntry => {
      return { type: 'failed', effect: task.id, number: index + 1, at: time(index), ms: 5, reason: 'no luck' }
    }),
    { type: 'planned', effects: [further, effectOf(delivery, 'T14')] },
    { type: 'ended', effect: further, state: 'done', attempts: 1, endedAt: time(15) },
    { type: 'ended', effect: task, state: 'dead', reason: 'no luck', attempts: 1, endedAt: time(isAhead ? 40 : 20) },
    ...(isDead ? [] : [{ type: 'ended', effect: task, state: 'done', link: 'x', attempts: 2, endedAt: time(30) } as const]),
    { type: 'ended', effect: message, state: 'done', made: `${day}-${delivery.length}`, previous: '0-0', attempts: 1, endedAt: time(9) },
  ]
}

// All rows there are, table by table; the tables are empty afterwards.
async function take(database: Database): Promise<string[][]> {
  const found: string[][] = []
  for (const table of tables) {
    const rows = await database.selectFrom(table).selectAll().execute()
    found.push(rows.map((row) => JSON.stringify(row)).toSorted())
    await database.deleteFrom(table).execute()
  }
  return found
}

test('entries in any order, in groups of any size, some of them twice, come to the same rows', async () => {
  const { database } = stage
  const told = fc.array(fc.record({ failures: fc.nat({ max: 3 }), isDead: fc.boolean(), isAhead: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
  })
  await fc.assert(
    fc.asyncProperty(told, fc.infiniteStream(fc.nat({ max: 1000 })), async (deliveries, chance) => {
      const next = () => chance.next().value ?? 0
      const entries = deliveries.flatMap(({ failures, isDead, isAhead }, index) =>
        entriesOf(`d${'i'.repeat(index)}`, failures, isDead, isAhead),
      )
      for (const entry of entries) await writeEntries(database, [entry])
      const expected = await take(database)
      assert.ok(expected.every((rows) => rows.length > 0 || deliveries.every(({ failures }) => failures === 0)))

      const shuffled = entries
        .flatMap((entry) => (next() % 4 === 0 ? [entry, entry] : [entry]))
        .map((entry) => ({ entry, place: next() }))
        .toSorted((one, other) => one.place - other.place)
      while (shuffled.length > 0) {
        const group = shuffled.splice(0, 1 + (next() % 6))
        await writeEntries(
          database,
          group.map(({ entry }) => entry),
        )
      }
      assert.deepEqual(await take(database), expected)
    }),
    { numRuns: 30 },
  )
})

test('writers that write the same at the same time wait for each other, and none fails', async () => {
  const entries = Array.from({ length: 20 }, (_, index) => entriesOf(`same${'i'.repeat(index)}`, 2, false)).flat()
  const orders = [entries, entries.toReversed(), entries.toSorted(() => -1), entries.slice(30).concat(entries)]
  await Promise.all(orders.map((order) => writeEntries(stage.database, order)))
  const { length } = await stage.database.selectFrom('effects').select('id').where('delivery', 'like', 'same%').execute()
  assert.equal(length, 80)
})

test('an effect knows its delivery also when that is written while its end is', async () => {
  const { database } = stage
  const entries = entriesOf('meet', 0, true)
  const delivery = entries.find((entry) => entry.type === 'delivery')
  const end = entries.find((entry) => entry.type === 'ended')
  assert.ok(delivery && end)
  const other = await database.startTransaction().execute()
  const { id, sink, since } = end.effect
  const row = { id, delivery: 'meet', sink, order_key: '', attempts: 0, since: new Date(since), received_at: new Date(since) }
  await other
    .insertInto('effects')
    .values({ ...row, kind: 'other', state: 'planned' })
    .execute()
  const writing = writeEntries(database, [end])
  const inserts = sql<{
    id: number
  }>`select id from information_schema.processlist where db = database() and info like 'insert into effects%'`
  await until(async () => (await inserts.execute(database)).rows.length > 0, 'the end waits for another writer')
  await writeEntries(database, [{ ...delivery, effects: [] }])
  await other.rollback().execute()
  await writing
  const { kind, project } = await database.selectFrom('effects').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  assert.deepEqual([kind, project], ['push', 'a/b'])
})

test('what was done is done, also when a worker whose clock is ahead had given it up before', async () => {
  const { database } = stage
  await writeEntries(database, entriesOf('ahead', 1, false, true))
  const row = await database.selectFrom('effects').selectAll().where('id', '=', effectOf('ahead', 'T12').id).executeTakeFirstOrThrow()
  assert.deepEqual(
    [row.state, row.reason, row.error, row.link, row.attempts, row.ended_at?.toISOString()],
    ['done', null, null, 'x', 2, time(30)],
  )
})

test('of two ends the one counts that was told later, by the clock of Redis', async () => {
  const { database } = stage
  const effect = effectOf('told', 'T12')
  const ended = { type: 'ended', effect, attempts: 1 } as const
  const first: JournalEntry = {
    ...ended,
    state: 'dead',
    reason: 'given up by a clock that is ahead',
    endedAt: time(4000),
    toldAtMs: day + 10_000,
  }
  const second: JournalEntry = { ...ended, state: 'nothing', reason: 'nobody is listed', endedAt: time(20), toldAtMs: day + 20_000 }
  await writeEntries(database, [second])
  await writeEntries(database, [first])
  const row = await database.selectFrom('effects').selectAll().where('id', '=', effect.id).executeTakeFirstOrThrow()
  assert.deepEqual([row.state, row.reason, row.ended_at?.toISOString()], ['nothing', 'nobody is listed', time(20)])
})

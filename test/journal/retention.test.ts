// Retention: what is old goes, a little at a time, while others write; what somebody still has to deal with stays.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CompiledQuery, Kysely, MysqlDialect, sql } from 'kysely'
import { createPool } from 'mysql2'
import { z } from 'zod'
import type { Effect } from '#shared/event/effect.ts'
import { effectId } from '#shared/event/effect.ts'
import { migrate } from '#shared/journal/database.ts'
import type { DeliveryEntry, JournalEntry } from '#shared/journal/entry.ts'
import { pruneJournal } from '#shared/journal/prune.ts'
import type { Tables } from '#shared/journal/tables.ts'
import { writeEntries } from '#shared/journal/write.ts'
import { ops } from '../support/ops.ts'
import { openStage, type Stage } from '../support/stage.ts'

const day = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * day)

let stage: Stage
before(async () => {
  stage = await openStage({ JOURNAL_KEEP_DAYS: '30' })
  await migrate(stage.database)
  for (let from = 0; from < 1200; from += 100) {
    const indexes = Array.from({ length: 100 }, (_, more) => from + more)
    await writeEntries(
      stage.database,
      indexes.flatMap((index) => entriesOf(`old-${index}`, 31 + index / 100, index % 300 === 7 ? 'dead' : 'done')),
    )
  }
  for (let index = 0; index < 20; index++) await write(`young-${index}`, 29, 'done')
  await stage.database
    .insertInto('acts')
    .values([31, 149, 151].map((days) => ({ at: ago(days), who: 'alice', verb: 'discard', reason: String(days), details: '{}', count: 1 })))
    .execute()
})
after(() => stage?.close())

// A delivery with an effect that failed once before it ended, and its message on the feed.
function entriesOf(id: string, days: number, state: 'done' | 'dead'): JournalEntry[] {
  const receivedAt = ago(days).toISOString()
  const effect: Omit<Effect, 'data'> = { id: effectId(id, 'sse', 'message'), delivery: id, sink: 'sse', order: 'feed', since: receivedAt }
  const about = { kind: 'merge_request', project: 'repos/releng/tool', iid: 1, username: 'alice', title: `Words of ${id}` }
  const entry: DeliveryEntry = {
    type: 'delivery',
    id,
    receivedAt,
    headers: {},
    body: '',
    decisions: [{ sink: 'sse' }],
    effects: [effect],
    message: { rules: 1, bytes: 0, text: '' },
    ...about,
  }
  const made = { made: `${Date.parse(receivedAt)}-0`, attempts: 2, endedAt: receivedAt }
  return [
    entry,
    { type: 'failed', effect: effect.id, number: 1, at: receivedAt, ms: 5, reason: 'no luck' },
    { type: 'ended', effect, state, ...made, ...(state === 'dead' && { reason: 'no luck' }) },
  ]
}

async function write(...of: Parameters<typeof entriesOf>): Promise<void> {
  for (const entry of entriesOf(...of)) await writeEntries(stage.database, [entry])
}

async function count(table: keyof Tables): Promise<number> {
  const query = stage.database.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'))
  return Number((await query.executeTakeFirstOrThrow()).count)
}

const tables = ['deliveries', 'bodies', 'decisions', 'effects', 'attempts', 'words', 'feed', 'messages'] as const
const counts = async () => Object.fromEntries(await Promise.all(tables.map(async (table) => [table, await count(table)] as const)))
const prunedSchema = z.object({ kept: z.number(), interrupted: z.boolean(), removed: z.record(z.string(), z.number()) })

test('a dry run counts what is old, and removes nothing', async () => {
  const all = await counts()
  const said = await ops(stage.environment, 'prune', '--dry-run', '--json')
  assert.equal(said.code, 0, said.err)
  const { kept, removed } = prunedSchema.parse(JSON.parse(said.out))
  assert.equal(kept, 4)
  assert.deepEqual(removed, {
    attempts: 1196,
    effects: 1196,
    decisions: 1196,
    // words, of, old, the number, alice
    words: 5 * 1196,
    messages: 1196,
    bodies: 1196,
    deliveries: 1196,
    feed: 1200,
    acts: 1,
  })
  assert.deepEqual(await counts(), all)
})

test('interrupted, it has removed whole deliveries only, and the next time goes on', async () => {
  const interrupted = AbortSignal.abort()
  const { removed } = await pruneJournal(stage.database, { keepDays: 30, dryRun: false, signal: interrupted })
  assert.equal(removed.deliveries, 499)
  for (const table of ['bodies', 'messages', 'decisions', 'effects', 'attempts'] as const) assert.equal(await count(table), 721, table)
})

test('what is old goes while others write; dead letters stay, with all of their delivery', async () => {
  let writing = true
  let written = 0
  const writer = (async () => {
    while (writing) await write(`new-${written++}`, 0, 'done')
  })()
  const said = await ops(stage.environment, 'prune', '--reason', 'the disk is full', '--json')
  writing = false
  await writer
  assert.equal(said.code, 0, said.err)
  assert.equal(prunedSchema.parse(JSON.parse(said.out)).removed.deliveries, 697)
  assert.ok(written > 1, `${written} were written meanwhile`)

  const left = 4 + 20 + written
  assert.deepEqual(await counts(), {
    deliveries: left,
    bodies: left,
    messages: left,
    decisions: left,
    effects: left,
    attempts: left,
    words: 5 * left,
    feed: 20 + written,
  })
  const dead = await stage.database.selectFrom('effects').select('delivery').where('state', '=', 'dead').execute()
  assert.deepEqual(dead.map(({ delivery }) => delivery).toSorted(), ['old-307', 'old-607', 'old-7', 'old-907'])

  const acts = await stage.database.selectFrom('acts').select(['verb', 'reason', 'count']).orderBy('id').execute()
  assert.deepEqual(acts, [
    { verb: 'discard', reason: '31', count: 1 },
    { verb: 'discard', reason: '149', count: 1 },
    { verb: 'prune', reason: 'the disk is full', count: 697 },
  ])
})

test('a delivery that came again leaves nothing behind, whatever its second copy says', async () => {
  await write('resent', 40, 'done')
  await write('resent', 31, 'done')
  const rows = () => stage.database.selectFrom('words').selectAll().where('delivery', '=', 'resent').execute()
  assert.equal((await rows()).length, 4, 'each word once: words, of, resent, alice')
  await pruneJournal(stage.database, { keepDays: 30, dryRun: false, signal: new AbortController().signal })
  assert.deepEqual(await rows(), [])
})

// One after the other in time, but for the oldest 700: those came at one instant. Each has a word of its own, and three that others have.
async function fill(deliveries: number): Promise<void> {
  const digits = sql`(select 0 as d union select 1 union select 2 union select 3 union select 4 union select 5 union select 6 union select 7 union select 8 union select 9)`
  const from = sql`from ${digits} as a cross join ${digits} as b cross join ${digits} as c cross join ${digits} as d`
  await sql`create table numbers (id varchar(20) character set ascii collate ascii_bin primary key, n int, at datetime(3)) as
    select concat('many-', n) as id, n, timestampadd(second, greatest(n, 700), ${ago(60)}) as at
    from (select a.d + 10 * b.d + 100 * c.d + 1000 * d.d as n ${from}) as counted where n < ${deliveries}`.execute(stage.database)
  const rows = [
    sql`deliveries (id, received_at, kind, username, title, origin) select id, at, 'push', 'bob', concat('Mend T', n, ' of tool'), 'hook'`,
    ...['mend', 'of', 'tool', 'bob'].map((word) => sql`words select ${word}, at, id`),
    sql`words select concat('t', n), at, id`,
    sql`bodies select id, '', ''`,
    sql`messages select id, 1, null, 0, ''`,
    sql`decisions select id, 'sse', null`,
    sql`effects (id, delivery, sink, order_key, state, since, received_at, kind) select id, id, 'sse', 'feed', 'done', at, at, 'push'`,
    sql`attempts select id, at, 1, 5, 'no luck'`,
    sql`feed select floor(unix_timestamp(at) * 1000), n, id, null`,
  ]
  for (const row of rows) await sql`insert into ${row} from numbers`.execute(stage.database)
  await sql`analyze table ${sql.join(tables.map((table) => sql.table(table)))}`.execute(stage.database)
}

// What the first chunk of each part removes, or would, for once.
async function rolledBack(database: Kysely<Tables>, dryRun: boolean) {
  const transaction = await database.startTransaction().execute()
  const { removed } = await pruneJournal(transaction, { keepDays: 30, dryRun, signal: AbortSignal.abort() })
  await transaction.rollback().execute()
  return removed
}

const planSchema = z.array(z.object({ table: z.string(), type: z.string(), rows: z.coerce.number() }))

test('what it asks and removes is found by an index, and nothing else is read', async () => {
  await fill(10_000)
  const sent: CompiledQuery[] = []
  const pool = createPool({ uri: stage.databaseUrl, timezone: 'Z' })
  const database = new Kysely<Tables>({ dialect: new MysqlDialect({ pool }), log: ({ query }) => void sent.push(query) })
  const [counted, removed] = [await rolledBack(database, true), await rolledBack(database, false)]
  await database.destroy()
  assert.deepEqual(removed, counted)

  const asked = new Set<string>()
  for (const { sql: text, parameters } of sent.filter(({ sql: text }) => /^(select|delete)/.test(text))) {
    const { rows } = await stage.database.executeQuery(CompiledQuery.raw(`explain format=traditional ${text}`, [...parameters]))
    for (const { table, type, rows: read } of planSchema.parse(rows).filter(({ table }) => tables.some((large) => large === table))) {
      asked.add(`${text.split(' ', 1)[0]} ${table}`)
      const how = `${type}, ${read} rows: ${text.slice(0, 200)}`
      assert.notEqual(type, 'ALL', how)
      if (type === 'index' || /^delete|count\(/.test(text)) assert.ok(read < 5000, how)
    }
  }
  assert.deepEqual(
    tables.filter((table) => !asked.has(`delete ${table}`) || !asked.has(`select ${table}`)),
    [],
  )
})

// What the relay has no longer comes from the journal: the same messages, under the same cursors, without a seam; and what
// the journal lacks is told.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { type Cursor, partsOf } from '#shared/event/cursor.ts'
import { bodyOf } from '#shared/journal/body.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import { type Door, openDoor } from '../support/door.ts'
import { type Reader, readFeed } from '../support/feed.ts'
import { hook } from '../support/fixtures.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let first: Process
let witness: Reader
let door: Door
const inRelay = 5

before(async () => {
  stage = await openStage({ SINKS_ENABLED: 'sse' })
  door = await openDoor(stage.databaseUrl)
  stage.defer(() => door.close())
  first = await stage.start('ingest')
  witness = await open('', first)
  await stage.start('worker')
  await deliver(30)
  await stage.redis.xtrim(`${keyPrefix(stage.environment.REDIS_PREFIX ?? '')}:feed`, 'MAXLEN', inRelay)
})
after(() => stage.close())

let sent = 0
async function deliver(count: number): Promise<void> {
  const names = ['push', 'merge-request-open', 'tag-push', 'merge-request-merge', 'repository-update']
  for (const start = sent; sent < start + count; sent++)
    await post(first, { ...hook(names[sent % names.length] ?? ''), number: sent }, { 'idempotency-key': `delivery-${sent}` })
  await until(async () => witness.messages.length === sent && (await recorded()) === sent, 'all are on the feed and in the journal')
}

async function recorded(): Promise<number> {
  return (await stage.database.selectFrom('feed').innerJoin('bodies', 'bodies.delivery', 'feed.delivery').select('time').execute()).length
}

/** A process that has seen nothing of what was. */
async function later(environment: Record<string, string> = {}): Promise<Process> {
  return await stage.start('ingest', environment)
}

async function open(query: string, process_: Process): Promise<Reader> {
  const reader = await readFeed(`http://127.0.0.1:${process_.port()}/sse/?${query}`)
  stage.defer(reader.close)
  return reader
}

const ids = ({ messages }: Reader) => messages.map(({ id }) => id)
const newest = () => witness.messages.at(-1)?.id
const cursorAt = (index: number): Cursor => witness.messages[index]?.id ?? ''
const comesToEnd = (reader: Reader) => until(() => reader.messages.at(-1)?.id === newest(), 'it has come to the end')

test('the journal keeps the chain: each message names the one before it', async () => {
  const rows = await stage.database.selectFrom('feed').selectAll().orderBy('time').orderBy('number').execute()
  const cursors = rows.map(({ time, number }) => `${time}-${number}`)
  assert.deepEqual(
    cursors,
    witness.messages.map(({ id }) => id),
  )
  assert.deepEqual(
    rows.map(({ previous }) => previous),
    ['0-0', ...cursors.slice(0, -1)],
  )
})

test('a process that started later gives the very same messages from the beginning, then live, without a seam', async () => {
  const process_ = await later()
  const readers = [await open('last_event_id=0-0', process_), await open(`last_event_id=${cursorAt(12)}`, process_)]
  const time = witness.messages[20]?.data ?? ''
  const since = await open(`since=${JSON.parse(time).meta.dt}`, process_)
  const filtered = await open('last_event_id=0-0&kind=merge_request&action=merge', process_)
  await deliver(5)
  await Promise.all([...readers, since].map(comesToEnd))
  const [whole, part] = readers
  assert.deepEqual(whole?.messages, witness.messages)
  assert.deepEqual(part?.messages, witness.messages.slice(13))
  assert.deepEqual(since.messages, witness.messages.slice(20))
  const merged = witness.messages.filter(({ data }) => JSON.parse(data).object_attributes?.action === 'merge')
  await until(() => filtered.messages.length === merged.length, 'the filtered ones have come')
  assert.deepEqual(filtered.messages, merged)
})

test('without a database the feed works as far as the relay goes, and tells the rest', async () => {
  const reader = await open('last_event_id=0-0', await later({ DATABASE_URL: '' }))
  await comesToEnd(reader)
  const [gap, ...rest] = reader.messages
  assert.equal(gap?.event, 'gap')
  assert.deepEqual(JSON.parse(gap?.data ?? ''), { from: '0-0', to: cursorAt(sent - rest.length - 1) })
  assert.deepEqual(rest, witness.messages.slice(-rest.length))
})

test('while the database is away a reader in history stays, and goes on when it is back', async () => {
  const process_ = await later({ DATABASE_URL: door.url })
  await door.close()
  const reader = await open('last_event_id=0-0', process_)
  const live = await open('', process_)
  await deliver(2)
  await until(() => live.messages.length === 2, 'live ones come')
  assert.deepEqual(reader.messages, [])
  await door.open()
  await comesToEnd(reader)
  assert.deepEqual(reader.messages, witness.messages)
})

test('what may not be seen by today’s rules is not sent again, and is no gap', async () => {
  const cursor = cursorAt(7)
  const { body } = await bodyAt(cursor)
  const changed = (await bodyOf(body)).replaceAll('"visibility_level":20', '"visibility_level":0')
  await setBody(cursor, gzipSync(changed))
  const asBefore = await open('last_event_id=0-0', await later())
  await comesToEnd(asBefore)
  assert.deepEqual(asBefore.messages, witness.messages, 'as it was published, while the rules are the same')
  const { delivery } = await bodyAt(cursor)
  await stage.database.updateTable('messages').set({ rules: 0 }).where('delivery', '=', delivery).execute()
  const expected = witness.messages.filter(({ id }) => id !== cursor)
  const reader = await open('last_event_id=0-0', await later())
  await comesToEnd(reader)
  assert.deepEqual(reader.messages, expected)
  const inside = await open('last_event_id=0-0', await later({ FEED_PRIVATE: 'true' }))
  await comesToEnd(inside)
  assert.equal(inside.messages.length, witness.messages.length)
  await setBody(cursor, body)
})

test('what is kept in no form that can be used is made anew, and is the same', async () => {
  const database = stage.database
  const large = { ...hook('push'), message: randomBytes(40_000).toString('base64') }
  await post(first, large, { 'idempotency-key': 'large' })
  sent += 1
  await until(async () => witness.messages.length === sent && (await recorded()) === sent, 'a message that compresses badly is there')
  const kept = await database.selectFrom('messages').select(['rules', 'bytes']).execute()
  assert.deepEqual(new Set(kept.map(({ bytes }) => bytes)), new Set(witness.messages.map(({ data }) => Buffer.byteLength(data))))
  assert.equal(kept.length, witness.messages.length)
  const reads = async () => {
    const reader = await open('last_event_id=0-0', await later())
    await comesToEnd(reader)
    assert.deepEqual(reader.messages, witness.messages)
  }
  await reads()
  await database.updateTable('messages').set({ rules: 0 }).execute()
  await reads()
  await sql`rename table messages to set_aside`.execute(database)
  await reads()
  await sql`rename table set_aside to messages`.execute(database)
})

test('what was pruned, or never recorded, is told where it was, and nothing else is left out', async () => {
  for (const index of [0, 1, 2, 15]) await forget(cursorAt(index))
  const process_ = await later()
  const reader = await open('last_event_id=0-0', process_)
  await comesToEnd(reader)
  const told = reader.messages.filter(({ event }) => event === 'gap').map(({ id, data }) => ({ id, ...JSON.parse(data) }))
  assert.deepEqual(told, [
    { id: cursorAt(2), from: '0-0', to: cursorAt(2) },
    { id: cursorAt(15), from: cursorAt(14), to: cursorAt(15) },
  ])
  assert.equal(reader.messages[0]?.event, 'gap')
  const left = witness.messages.filter((_, index) => ![0, 1, 2, 15].includes(index))
  assert.deepEqual(
    reader.messages.filter(({ event }) => event === undefined),
    left,
  )
  const since = await open(`since=${partsOf(cursorAt(2))[0] + 1}`, process_)
  await comesToEnd(since)
  assert.ok(!ids(since).includes(cursorAt(2)), 'what is gone from before that time does not matter')
  assert.ok(ids(since).includes(cursorAt(15)), 'what is gone after it does')
})

async function bodyAt(cursor: Cursor): Promise<{ delivery: string; body: Buffer }> {
  const [time, number] = partsOf(cursor)
  const query = stage.database.selectFrom('feed').innerJoin('bodies', 'bodies.delivery', 'feed.delivery')
  return await query.select(['feed.delivery', 'body']).where('time', '=', time).where('number', '=', number).executeTakeFirstOrThrow()
}

async function setBody(cursor: Cursor, body: Buffer): Promise<void> {
  const { delivery } = await bodyAt(cursor)
  await stage.database.updateTable('bodies').set({ body }).where('delivery', '=', delivery).execute()
}

async function forget(cursor: Cursor): Promise<void> {
  const [time, number] = partsOf(cursor)
  await stage.database.deleteFrom('feed').where('time', '=', time).where('number', '=', number).execute()
}

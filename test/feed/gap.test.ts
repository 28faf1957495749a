// What is gone is told, first of all, and only then; and cursors never go back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Cursor, compareCursors } from '#shared/event/cursor.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { type Reader, readFeed } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let ingest: Process
let publish: Publish
let prefix: string
const cursors: Cursor[] = []

before(async () => {
  stage = await openStage({ DATABASE_URL: '' })
  prefix = stage.environment.REDIS_PREFIX ?? ''
  publish = publisherOf(stage)
  ingest = await stage.start('ingest')
})
after(() => stage.close())

async function open(query: string, process_ = ingest): Promise<Reader> {
  const reader = await readFeed(`http://127.0.0.1:${process_.port()}/sse/?${query}`)
  stage.defer(reader.close)
  return reader
}

async function more(count: number): Promise<void> {
  cursors.push(...(await publish(Array.from({ length: count }, (_, index) => ({ number: cursors.length + index })))))
}

const ids = ({ messages }: Reader) => messages.map(({ id }) => id)
const isLast = ({ messages }: Reader) => messages.at(-1)?.id === cursors.at(-1)

async function gapOf(reader: Reader): Promise<{ from: string; to: string; id: string | undefined }> {
  const first = await until(() => reader.messages[0], 'something comes')
  assert.equal(first.event, 'gap')
  return { ...JSON.parse(first.data), id: first.id }
}

test('on an empty feed a reader from the beginning is told of no gap', async () => {
  const reader = await open('last_event_id=0-0')
  const since = await open('since=0')
  await more(20)
  await until(() => isLast(reader) && isLast(since), 'all have come')
  assert.deepEqual(ids(reader), cursors)
  assert.deepEqual(ids(since), cursors)
})

test('a cursor beyond everything is told at once where the feed is, and goes on from there', async () => {
  for (const beyond of ['999999999999999-0', `${Date.now() + 60_000}-0`]) {
    const reader = await open(`last_event_id=${beyond}`)
    const newest = cursors.at(-1)
    assert.deepEqual(await gapOf(reader), { from: beyond, to: newest, id: newest })
    await more(1)
    await until(() => isLast(reader), 'what comes then comes')
    assert.deepEqual(ids(reader), [newest, cursors.at(-1)])
  }
})

test('what was trimmed is told, up to where messages follow without a hole', async () => {
  await stage.redis.xtrim(`${keyPrefix(prefix)}:feed`, 'MAXLEN', 5)
  const fresh = await stage.start('ingest')
  const [last = ''] = cursors.slice(-6)
  for (const from of ['0-0', cursors[3] ?? '']) {
    const reader = await open(`last_event_id=${from}`, fresh)
    assert.deepEqual(await gapOf(reader), { from, to: last, id: last })
    await until(() => isLast(reader), 'the rest comes')
    assert.deepEqual(ids(reader).slice(1), cursors.slice(-5))
  }
  const exact = await open(`last_event_id=${last}`, fresh)
  await until(() => isLast(exact), 'all come')
  assert.deepEqual(ids(exact), cursors.slice(-5))
})

test('a time from before what was trimmed is told as it was asked; a later one is not', async () => {
  const fresh = await stage.start('ingest')
  const reader = await open('since=2020-01-01', fresh)
  const [last = ''] = cursors.slice(-6)
  assert.deepEqual(await gapOf(reader), { from: '2020-01-01', to: last, id: last })
  const later = await open(`since=${Number(last.split('-')[0]) + 1}`, fresh)
  const filtered = await open('last_event_id=0-0&kind=none', fresh)
  assert.equal((await gapOf(filtered)).to, last)
  // Without a time of receipt these messages count as older than any, unless they are live.
  await until(async () => {
    await more(1)
    return later.messages.length > 0
  }, 'a live one comes')
  await until(() => isLast(later), 'so do those after it')
  assert.deepEqual(ids(later), cursors.slice(-later.messages.length))
})

test('when Redis comes back empty, cursors go on above what the journal knows, and every reader is told', async () => {
  const live = await open('')
  const filtered = await open('kind=unknown')
  await until(async () => {
    await more(1)
    return isLast(live) && isLast(filtered)
  }, 'they read along')
  const seen = cursors.at(-1) ?? ''
  const aheadOfClock = `${Date.now() + 3600_000}-7`
  await stage.redis.flushall()
  const relay = openRelay({ redis: stage.redis, prefix, known: () => Promise.resolve(aheadOfClock) })
  const { cursor, previous } = await relay.publish('after the loss', '{"number":-1}')
  assert.ok(compareCursors(cursor, aheadOfClock) > 0)
  for (const reader of [live, filtered]) {
    await until(() => ids(reader).at(-1) === cursor, 'it has the new one')
    const gap = reader.messages.at(-2)
    assert.deepEqual([gap?.event, JSON.parse(gap?.data ?? '')], ['gap', { from: seen, to: previous }])
    assert.equal(reader.messages.filter(({ event }) => event === 'gap').length, 1)
  }
  const whoComesBack = await open(`last_event_id=${seen}`)
  assert.deepEqual(await gapOf(whoComesBack), { from: seen, to: previous, id: previous })
  const later = await open('')
  const next = await relay.publish('and one more', '{"number":-2}')
  await until(() => later.messages.length > 0, 'it reads')
  assert.deepEqual(ids(later), [next.cursor])
  assert.equal(next.previous, cursor)
})

test('when the clock of Redis is behind, cursors go on growing', async () => {
  const ahead = `${Date.now() + 3600_000}-7`
  const relay = openRelay({ redis: stage.redis, prefix: `${prefix}-behind`, known: () => Promise.resolve(ahead) })
  let last = ahead
  for (let index = 0; index < 5; index++) {
    const { cursor, previous } = await relay.publish(`behind ${index}`, '{}')
    assert.ok(compareCursors(previous, last) >= 0 && compareCursors(cursor, previous) > 0)
    if (index > 0) assert.equal(previous, last)
    last = cursor
  }
})

test('a reader who knows more than a Redis that came back, from before, is not stranded', async () => {
  const live = await open('')
  const relay = openRelay({ redis: stage.redis, prefix })
  const { cursor: seen } = await relay.publish('the last one seen', '{}')
  await until(() => ids(live).includes(seen), 'it reads along')
  await stage.redis.flushall()
  const { cursor } = await openRelay({ redis: stage.redis, prefix }).publish('lower', '{}')
  assert.ok(compareCursors(cursor, seen) < 0, 'neither the journal nor the clock knew better')
  await until(() => live.messages.at(-1)?.event === 'gap', 'it is told')
  const next = await relay.publish('and on', '{}')
  await until(() => ids(live).at(-1) === next.cursor, 'it goes on')
})

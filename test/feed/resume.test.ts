import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Cursor } from '#shared/event/cursor.ts'
import { type Reader, readFeed } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let ingests: Process[]
let publish: Publish
const all: Array<{ id: Cursor; data: string }> = []

// More than the 1,000 messages that ingest keeps in memory, some of them before ingest is there.
before(async () => {
  stage = await openStage()
  publish = publisherOf(stage)
  await more(800)
  ingests = [await stage.start('ingest'), await stage.start('ingest')]
  const reader = await open({ from: '0-0' })
  await until(() => reader.messages.length === 800, 'the first ones are read')
  await more(1500)
  await until(() => reader.messages.length === 2300, 'all are read')
  reader.close()
})
after(() => stage.close())

async function more(count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, index) => ({ number: all.length + index }))
  const cursors = await publish(messages)
  all.push(...cursors.map((id, index) => ({ id, data: JSON.stringify(messages[index]) })))
}

type Place = { from: Cursor; by?: 'header' | 'query'; at?: number }

async function open({ from, by = 'header', at = 0 }: Place): Promise<Reader> {
  const url = `http://127.0.0.1:${ingests[at]?.port()}/sse/`
  const reader = by === 'header' ? readFeed(url, { 'last-event-id': from }) : readFeed(`${url}?last_event_id=${from}`)
  return await reader
}

const plain = ({ messages }: Reader) => messages.map(({ id = '', data }) => ({ id, data }))

async function readsFrom(reader: Reader, index: number): Promise<void> {
  const last = all.at(-1)?.id
  await until(() => reader.messages.at(-1)?.id === last, `it has come from message ${index} to the end`)
  reader.close()
  assert.deepEqual(plain(reader), all.slice(index))
}

test('a reader that resumes anywhere gets exactly what it has missed, then live, while more is being published', async () => {
  const cuts = fc.array(fc.record({ index: fc.nat(2299), by: fc.constantFrom('header', 'query'), at: fc.nat(1) }), {
    minLength: 1,
    maxLength: 4,
  })
  const resume = async (places: Array<{ index: number; by: 'header' | 'query'; at: number }>) => {
    const readers = places.map(({ index, by, at }) => open({ from: all[index]?.id ?? '', by, at }))
    await more(10)
    const opened = await Promise.all(readers)
    await more(10)
    await Promise.all(opened.map((reader, index) => readsFrom(reader, (places[index]?.index ?? 0) + 1)))
  }
  const ends = [{ index: 2299, by: 'header' as const, at: 0 }]
  const window = [1298, 1299, 1300, 1301].map((index) => ({ index, by: 'query' as const, at: 0 }))
  await fc.assert(fc.asyncProperty(cuts, resume), { numRuns: 20, examples: [[ends], [window]] })
})

test('Last-Event-ID in the header counts before the one in the address, which an EventSource keeps for ever', async () => {
  const url = `http://127.0.0.1:${ingests[0]?.port()}/sse/?last_event_id=${all[0]?.id}`
  await readsFrom(await readFeed(url, { 'last-event-id': all[2200]?.id ?? '' }), 2201)
})

test('clients may send their cursor by other names in the address, and these count before ours', async () => {
  const url = `http://127.0.0.1:${ingests[0]?.port()}/sse/?last_event_id=${all[0]?.id}`
  for (const name of ['lastEventId', 'last-event-id']) await readsFrom(await readFeed(`${url}&${name}=${all[2200]?.id}`), 2201)
})

test('a header that is empty is none', async () => {
  const url = `http://127.0.0.1:${ingests[0]?.port()}/sse/?last_event_id=${all[2200]?.id}`
  await readsFrom(await readFeed(url, { 'last-event-id': '' }), 2201)
})

test('a reader that resumes after the newest message gets only what comes then', async () => {
  const reader = await open({ from: all.at(-1)?.id ?? '' })
  const index = all.length
  await more(3)
  await readsFrom(reader, index)
})

test('a reader from the very beginning gets everything there is', async () => {
  await readsFrom(await open({ from: '0-0', by: 'query' }), 0)
  await readsFrom(await open({ from: 'earliest', by: 'query' }), 0)
  await readsFrom(await open({ from: 'earliest', by: 'header' }), 0)
})

test('a cursor that the feed never gave is told to be none, and what comes after it follows', async () => {
  const between = (id: Cursor) => id.replace(/\d+$/, (number) => String(Number(number) + 1))
  const index = all.findIndex(({ id }, at) => at > 2000 && all[at + 1]?.id !== between(id))
  const { id: to = '' } = all[index] ?? {}
  const reader = await open({ from: between(to) })
  await until(() => reader.messages.at(-1)?.id === all.at(-1)?.id, 'it has come to the end')
  const [gap, ...rest] = reader.messages
  assert.deepEqual(gap, { id: to, event: 'gap', data: JSON.stringify({ from: between(to), to }) })
  assert.deepEqual(
    rest.map(({ id }) => id),
    all.slice(index + 1).map(({ id }) => id),
  )
  reader.close()
})

test('two processes give the same messages in the same order with the same cursors', async () => {
  const from = all.at(-1)?.id ?? ''
  const readers = [await open({ from, at: 0 }), await open({ from, at: 1 })]
  const index = all.length
  await Promise.all([more(50), until(() => readers.every(({ messages }) => messages.length >= 10), 'both read')])
  await Promise.all(readers.map((reader) => readsFrom(reader, index)))
})

test('a reader that goes from process to process with its last cursor misses nothing and sees nothing twice', async () => {
  const start = all.length
  const seen: Array<{ id: Cursor; data: string }> = []
  const publishing = more(300)
  for (let turn = 0, from = all[start - 1]?.id ?? ''; seen.length < 300; turn++) {
    const reader = await open({ from, at: turn % 2 })
    await until(() => reader.messages.length > 0, 'something comes')
    seen.push(...plain(reader))
    reader.close()
    from = seen.at(-1)?.id ?? from
  }
  await publishing
  assert.deepEqual(seen, all.slice(start))
})

test('cursors grow', () => {
  for (const [index, { id }] of all.entries()) {
    const [time = 0, count = 0] = id.split('-').map(Number)
    const [beforeTime = 0, beforeCount = 0] = (all[index - 1]?.id ?? '0-0').split('-').map(Number)
    assert.ok(time > beforeTime || (time === beforeTime && count > beforeCount))
  }
})

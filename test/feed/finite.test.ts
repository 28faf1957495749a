// `?until=` and `?limit=`: answers that have what exists at that moment, up to there, and end; whoever goes on from the last
// cursor misses nothing.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { type Cursor, compareCursors } from '#shared/event/cursor.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import { openGzip } from '../../apps/ingest/feed/gzip.ts'
import { readFeed, readLines } from '../support/feed.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'

type Message = { cursor: Cursor; kind: string; dt: string; number: number }

let stage: Stage
let ingest: Process
let publish: Publish
const all: Message[] = []
const begin = Date.parse('2026-01-01T00:00:00Z')

// Some of them come before ingest, which has them from the relay, some after, which it has in memory.
before(async () => {
  stage = await openStage()
  publish = publisherOf(stage)
  await more(150)
  ingest = await stage.start('ingest')
  await more(50)
})
after(() => stage.close())

async function more(count: number): Promise<void> {
  const made = Array.from({ length: count }, (_, index) => {
    const number = all.length + index
    return { number, kind: number % 3 === 0 ? 'push' : 'note', dt: new Date(begin + number * 1000).toISOString() }
  })
  const cursors = await publish(made.map(({ number, kind, dt }) => ({ number, object_kind: kind, meta: { id: `d${number}`, dt, kind } })))
  all.push(...made.map((one, index) => ({ ...one, cursor: cursors[index] ?? '' })))
}

type Question = {
  form: 'events' | 'lines'
  from: number | undefined
  until: number | { time: number } | 'later' | undefined
  limit: number | undefined
  kind: string | undefined
}

type Answer = { numbers: number[]; last: Cursor | undefined; gaps: unknown[] }

/** The whole answer, as events or as lines: it must end. `last` is the cursor from which one goes on. */
async function ask(query: string, form: 'events' | 'lines', headers: Record<string, string> = {}): Promise<Answer> {
  const url = `http://127.0.0.1:${ingest.port()}/sse/?${query}`
  if (form === 'events') {
    const { ended, messages } = await readFeed(url, headers)
    await ended
    const bodies = messages.filter(({ event }) => event === undefined).map(({ data }): { number: number } => JSON.parse(data))
    const gaps = messages.filter(({ event }) => event === 'gap').map(({ data }): unknown => JSON.parse(data))
    return { numbers: bodies.map(({ number }) => number), last: messages.at(-1)?.id, gaps }
  }
  const { ended, lines } = await readLines(url, headers)
  await ended
  const read = lines.map((line): { number: number; meta: { cursor?: Cursor; gap?: object } } => JSON.parse(line))
  const bodies = read.filter(({ meta }) => meta.gap === undefined)
  return { numbers: bodies.map(({ number }) => number), last: bodies.at(-1)?.meta.cursor, gaps: read.flatMap(({ meta }) => meta.gap ?? []) }
}

const at = (index: number) => all[index]?.cursor ?? ''
const numbersOf = (messages: Message[]) => messages.map(({ number }) => number)

test('whatever the beginning, the end, the filter and the form: exactly what is there in between, and an end', async () => {
  const index = fc.nat(199)
  const form = fc.constantFrom('events' as const, 'lines' as const)
  const from = fc.oneof(fc.constant(undefined), index)
  const until = fc.oneof(fc.constant(undefined), index, fc.record({ time: index }), fc.constant('later' as const))
  const limit = fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 250 }))
  const question = fc.record({ form, from, until, limit, kind: fc.constantFrom(undefined, 'push', 'nothing') })
  const check = async ({ form: asked, from: start, until: end, limit: most, kind }: Question) => {
    if (end === undefined && most === undefined) return
    const query = new URLSearchParams()
    if (start !== undefined) query.set('last_event_id', at(start))
    if (typeof end === 'number') query.set('until', at(end))
    else if (end === 'later') query.set('until', String(Date.now() + 3600_000))
    else if (end) query.set('until', all[end.time]?.dt ?? '')
    if (most !== undefined) query.set('limit', String(most))
    if (kind !== undefined) query.set('kind', kind)
    const last = typeof end === 'number' ? end : typeof end === 'object' ? end.time : all.length - 1
    const wanted = all.slice((start ?? -1) + 1, Math.max(last, start ?? -1) + 1).filter((one) => kind === undefined || one.kind === kind)
    const { numbers, gaps } = await ask(query.toString(), asked)
    assert.deepEqual(numbers, numbersOf(wanted.slice(0, most)), query.toString())
    assert.deepEqual(gaps, [])
  }
  await fc.assert(fc.asyncProperty(question, check), { numRuns: 80 })
})

for (const form of ['events', 'lines'] as const) {
  test(`pages of ${form} that go on from the last cursor have everything once, while more is published`, async () => {
    const numbers: number[] = []
    for (let last = 'earliest', page = 1; ; page += 7) {
      const answer = await ask(`last_event_id=${last}&limit=${page}`, form)
      if (answer.numbers.length === 0) break
      numbers.push(...answer.numbers)
      last = answer.last ?? ''
      if (all.length < 220) await more(5)
    }
    assert.deepEqual(numbers, numbersOf(all))
  })
}

test('from a time up to a time is what was received in between, and Unix seconds are understood', async () => {
  const query = `since=${all[40]?.dt}&until=${begin / 1000 + 45}`
  assert.deepEqual((await ask(query, 'lines')).numbers, [40, 41, 42, 43, 44, 45])
})

test('a time long ago, one far away and a limit beyond all counts are understood', async () => {
  const [never, ever] = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z']
  assert.deepEqual((await ask(`since=${never}&until=${ever}&limit=${'9'.repeat(20)}`, 'lines')).numbers, numbersOf(all))
  assert.deepEqual((await ask(`limit=${'9'.repeat(400)}`, 'events')).numbers, numbersOf(all))
  assert.deepEqual((await ask(`until=${never}`, 'events')).numbers, [])
})

test('events that match nothing tell at the end how far the feed has come', async () => {
  const { body } = await send({ port: ingest.port(), path: `/sse/?kind=nothing&until=${at(30)}`, method: 'GET' })
  assert.match(body.toString(), new RegExp(`^retry: \\d+\\n:\\n\\n(:\\n\\n)*id: ${at(30)}\\n\\n$`))
})

test('an answer that ends is told from one that broke off, and the connection is kept', async () => {
  const { headers, body } = await send({
    port: ingest.port(),
    path: '/sse/?limit=3',
    method: 'GET',
    headers: { accept: 'application/jsonl' },
  })
  assert.deepEqual([headers['transfer-encoding'], headers['content-encoding']], ['chunked', undefined])
  assert.equal(body.toString().split('\n').length, 4)
})

test('an answer that ends is compressed for whoever asks, a live one never', async () => {
  for (const [form, accept] of [['events', 'text/event-stream'] as const, ['lines', 'application/x-ndjson'] as const]) {
    const headers = { accept, 'accept-encoding': 'gzip' }
    const packed = await send({ port: ingest.port(), path: '/sse/?until=2100-01-01', method: 'GET', headers })
    const head = await send({ port: ingest.port(), path: '/sse/?limit=1', method: 'HEAD', headers })
    for (const answer of [packed, head])
      assert.deepEqual([answer.headers['content-encoding'], answer.headers.vary], ['gzip', 'Accept, Accept-Encoding'])
    const plain = await send({ port: ingest.port(), path: '/sse/?until=2100-01-01', method: 'GET', headers: { accept } })
    assert.equal(
      gunzipSync(packed.body)
        .toString()
        .replace(/^:\n\n/gm, ''),
      plain.body.toString().replace(/^:\n\n/gm, ''),
    )
    assert.ok(packed.body.length < plain.body.length / 2)
    const { numbers } = await ask('until=2100-01-01&kind=push', form, { accept, 'accept-encoding': 'gzip, br' })
    assert.deepEqual(numbers, numbersOf(all.filter(({ kind }) => kind === 'push')))
  }
  const live = await readLines(`http://127.0.0.1:${ingest.port()}/sse/`, { 'accept-encoding': 'gzip' })
  assert.equal(live.response.headers.get('content-encoding'), null)
  live.close()
})

test('any texts, compressed one after another, are one stream', () => {
  const whole = (texts: string[]) => {
    const gzip = openGzip()
    const packed = Buffer.concat([...texts.map((text) => gzip.pack(text)), gzip.end()])
    assert.equal(gunzipSync(packed).toString(), texts.join(''))
  }
  const text = fc.tuple(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 9999 })).map(([one, count]) => one.repeat(count))
  fc.assert(fc.property(fc.array(text, { maxLength: 6 }), whole), { numRuns: 50 })
})

test('what is gone is told, as far as the answer goes', async () => {
  const beyond = '999999999999999-0'
  assert.deepEqual(await ask(`last_event_id=${beyond}&limit=5`, 'lines'), {
    numbers: [],
    last: undefined,
    gaps: [{ from: beyond, to: all.at(-1)?.cursor }],
  })
  await stage.redis.xtrim(`${keyPrefix(stage.environment.REDIS_PREFIX ?? '')}:feed`, 'MAXLEN', all.length - 10)
  const fresh = ingest
  ingest = await stage.start('ingest', { DATABASE_URL: '' })
  for (const form of ['events', 'lines'] as const) {
    const { numbers, gaps } = await ask(`until=${at(20)}`, form)
    const [gap] = gaps
    assert.ok(typeof gap === 'object' && gap !== null && 'from' in gap && 'to' in gap && typeof gap.to === 'string')
    assert.deepEqual([gaps.length, gap.from], [1, '0-0'])
    const { to } = gap
    assert.ok(compareCursors(to, at(9)) >= 0)
    assert.deepEqual(numbers, numbersOf(all.slice(0, 21).filter(({ cursor }) => compareCursors(cursor, to) > 0)))
    const before = await ask(`until=${at(5)}`, form)
    assert.deepEqual([before.numbers, before.gaps], [[], [{ from: '0-0', to: at(5) }]])
  }
  ingest = fresh
})

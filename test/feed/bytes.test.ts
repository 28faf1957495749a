// The feed's answers as they are on the wire. Clients that forgive much, and proxies in between, hide what is out of order.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { Hono } from 'hono'
import { pino } from 'pino'
import type { Cursor } from '#shared/event/cursor.ts'
import { type Listener, listen } from '#shared/process/listener.ts'
import { openMetrics } from '#shared/process/metrics.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { openHistory } from '../../apps/ingest/feed/history.ts'
import { feedMetrics } from '../../apps/ingest/feed/metrics.ts'
import { feedRoute } from '../../apps/ingest/feed/route.ts'
import { followTail } from '../../apps/ingest/feed/tail.ts'
import { readAnswer, sendRaw, type WireAnswer } from '../support/raw.ts'
import { publisherOf } from '../support/relay.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const prefix = 'bytes'
let stage: Stage
let listener: Listener
let cursors: Cursor[]

const goodbye = new AbortController()
const metrics = openMetrics()

before(async () => {
  stage = await openStage({ REDIS_PREFIX: prefix })
  const meta = { dt: new Date().toISOString() }
  const publish = publisherOf(stage)
  cursors = await publish([
    { meta, text: 'é' },
    { meta, long: 'x'.repeat(70_000) },
  ])
  const log = pino({ level: 'silent' })
  const relay = openRelay({ redis: stage.redis, prefix })
  const tailRedis = stage.redis.duplicate()
  const tail = await followTail({ relay: openRelay({ redis: tailRedis, prefix }), signal: goodbye.signal, log })
  const limits = { connections: 100, connectionsPerAddress: 100, readerBytes: 1_000_000, patienceMs: 60_000 }
  const parts = { tail, history: openHistory({ relay, journal: undefined, onRead: () => undefined }), limits, log, metrics }
  // A sign of life falls between all that is written: its time is that of an event loop's turn.
  const feed = feedRoute({ ...parts, signal: goodbye.signal, measures: feedMetrics(metrics), everyMs: 1 })
  await until(() => tail.newest() === cursors[1], 'it follows the feed')
  cursors.push(...(await publish([{ meta, text: '💥' }, { meta, long: 'z'.repeat(70_000) }, { meta }])))
  await until(() => tail.newest() === cursors[4], 'it has what came since then in memory')
  listener = await listen({ fetch: new Hono().all('/sse/', feed).fetch, host: '127.0.0.1', port: 0 })
  stage.defer(() => tailRedis.disconnect())
  stage.defer(() => listener.stop())
  stage.defer(() => goodbye.abort())
})
after(() => stage.close())

type Question = { query?: string; headers?: string[]; version?: '1.0' | '1.1'; before?: string }

/** Asks, and waits until the message with the cursor `last` has come, and one sign of life after it. */
async function ask({ query = '', headers = [], version = '1.1', before: earlier = '' }: Question, last: () => Cursor): Promise<WireAnswer> {
  const lines = [`GET /sse/${query} HTTP/${version}`, 'Host: feed.example', ...headers, '', '']
  const { socket, bytes } = sendRaw(listener.port, earlier + lines.join('\r\n'))
  stage.defer(() => socket.destroy())
  const read = () => {
    const text = bytes().toString('latin1')
    const [head, ...others] = earlier === '' ? ['', text] : text.split(/(?<=\r\n\r\n)(?=HTTP)/)
    if (earlier !== '' && !head?.startsWith('HTTP/1.1 200 OK\r\n')) return undefined
    return others.length === 0 ? undefined : readAnswer(Buffer.from(others.join(''), 'latin1'))
  }
  const isWhole = ({ body }: WireAnswer) => body.split(`id: ${last()}\ndata: `)[1]?.includes('\n\n:\n\n') === true
  const answer = await until(() => {
    const now = read()
    return now && isWhole(now) ? now : undefined
  }, 'the last message has come whole')
  socket.destroy()
  await once(socket, 'close')
  return answer
}

const blocks = {
  beat: /^(id: \d+-\d+\n)?:$/,
  gap: /^id: (\d+-\d+)\nevent: gap\ndata: \{"from":"[^"]*","to":"\1"\}$/,
  message: /^id: \d+-\d+\ndata: \{[^\n]*\}$/,
}

/** What the body consists of, without the signs of life; fails at anything that is no part of the feed. */
function partsOf({ status, headers, body }: WireAnswer): string[] {
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.match(body, /^retry: \d+\n:\n\n/)
  const whole = body.slice(body.indexOf('\n\n') + 2, body.lastIndexOf('\n\n')).split('\n\n')
  return whole.flatMap((block) => {
    const kind = Object.entries(blocks).find(([, form]) => form.test(block))?.[0]
    assert.ok(kind, `no part of the feed: ${JSON.stringify(block.slice(0, 200))}`)
    return kind === 'beat' ? [] : [kind === 'gap' ? 'gap' : (/\d+-\d+/.exec(block)?.[0] ?? '')]
  })
}

const newest = () => cursors.at(-1) ?? ''
const questions: Array<[string, () => Question, () => string[]]> = [
  ['since', () => ({ query: '?since=1' }), () => cursors],
  ['the first cursor', () => ({ query: `?last_event_id=${cursors[0]}` }), () => cursors.slice(1)],
  ['a cursor in the header', () => ({ headers: [`Last-Event-ID: ${cursors[0]}`] }), () => cursors.slice(1)],
  ['where all that follows is in memory', () => ({ headers: [`Last-Event-ID: ${cursors[2]}`] }), () => cursors.slice(3)],
  ['the newest but one', () => ({ query: `?last_event_id=${cursors.at(-2)}` }), () => cursors.slice(-1)],
  ['the beginning', () => ({ query: '?last_event_id=0-0' }), () => cursors],
  ['a cursor that the feed never gave', () => ({ headers: ['Last-Event-ID: 77-7'] }), () => ['gap', ...cursors]],
]
const ways: Array<[string, Partial<Question>]> = [
  ['HTTP/1.1', {}],
  ['HTTP/1.0', { version: '1.0' }],
  ['HTTP/1.1 that closes', { headers: ['Connection: close'] }],
  ['a connection that has carried a request before', { before: 'HEAD /sse/ HTTP/1.1\r\nHost: feed.example\r\n\r\n' }],
]
for (const [from, question, expected] of questions)
  for (const [way, more] of ways)
    test(`from ${from} over ${way}: status line, headers, retry, gap, messages, in that order`, async () => {
      const asked = question()
      const headers = [...(asked.headers ?? []), ...(more.headers ?? [])]
      const answer = await ask({ ...asked, ...more, headers }, newest)
      assert.deepEqual(partsOf(answer), expected())
      assert.deepEqual([answer.headers.get('transfer-encoding'), answer.headers.get('connection')], [undefined, 'close'])
    })

for (const [way, more] of ways)
  test(`live over ${way}: what is published between signs of life comes whole and in order`, async () => {
    const published: Cursor[] = []
    const publish = publisherOf(stage, `live over ${way}`)
    await until(async () => /feed_subscribers 0\b/.test(await metrics.metrics()), 'those before it are gone')
    const reading = ask(more, () => published[2] ?? 'none yet')
    await until(async () => /feed_subscribers 1\b/.test(await metrics.metrics()), 'it reads along')
    published.push(...(await publish([{ live: 1 }, { live: 2, long: 'y'.repeat(200_000) }, { live: 3 }])))
    cursors.push(...published)
    assert.deepEqual(partsOf(await reading), published)
  })

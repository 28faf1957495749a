// Who is refused, and how it is told: in JSON that every page of the web may read.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { readFeed } from '../support/feed.ts'
import { publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let port: number

before(async () => {
  stage = await openStage()
  port = (await stage.start('ingest')).port()
})
after(() => stage.close())

const badQuestions = [
  ['kind', 'kind='],
  ['kind', 'kind=push,,note'],
  ['kind', 'kind=a%20b'],
  ['kind', `kind=${Array.from({ length: 51 }, (_, index) => `k${index}`).join(',')}`],
  ['project', `project=${Array.from({ length: 21 }, (_, index) => `p${index}`).join(',')}`],
  ['action', 'action=open&action='],
  ['action', `action=${'a'.repeat(256)}`],
  ['project', 'project=a%00b'],
  ['project', `project=${'*'.repeat(256)}`],
  ['since', 'since='],
  ['since', 'since=yesterday'],
  ['since', 'since=2h'],
  ['since', 'since=2026-02-30'],
  ['since', 'since=2026-13-01T00:00:00Z'],
  ['since', 'since=-1'],
  ['since', 'since=1.5'],
  ['since', 'since=0&since=1'],
  ['last_event_id', 'last_event_id=1-1&last_event_id=2-2'],
  ['since', 'since=nonsense&last_event_id=1-1'],
  ['lastEventId', 'lastEventId=nonsense'],
  ['until', 'until='],
  ['until', 'until=yesterday'],
  ['until', 'until=1-1&until=2-2'],
  ['limit', 'limit='],
  ['limit', 'limit=0'],
  ['limit', 'limit=-1'],
  ['limit', 'limit=1.5'],
  ['limit', 'limit=1,2'],
  ['limit', 'limit=1&limit=1'],
  ['last-event-id', 'last-event-id=1-1&last-event-id=1-1'],
  ['last_event_id', 'last_event_id=latest'],
  ['kinds', 'kinds=push'],
  ['Kind', 'Kind=push'],
  ['__proto__', '__proto__=push'],
  ['', '=push'],
  ['a'.repeat(60), 'a'.repeat(5000)],
] as const

test('what cannot be understood is 400 with the name of the parameter, also on HEAD', async () => {
  for (const [parameter, query] of badQuestions) {
    for (const path of ['/sse/', '/sse']) {
      const { status, headers, body } = await send({ port, path: `${path}?${query}`, method: 'GET' })
      assert.equal(status, 400, query)
      assert.match(headers['content-type'] ?? '', /^application\/json/)
      assert.equal(headers['access-control-allow-origin'], '*')
      assert.ok(String(JSON.parse(body.toString()).error).startsWith(`${parameter}: `), body.toString())
    }
    assert.equal((await send({ port, path: `/sse/?${query}`, method: 'HEAD' })).status, 400)
  }
})

test('an unknown parameter is answered with the names of those that are known', async () => {
  const { status, body } = await send({ port, path: '/sse/?project=repos/*&kinds=push', method: 'GET' })
  assert.equal(status, 400)
  const { error } = JSON.parse(body.toString())
  for (const name of ['action', 'kind', 'last_event_id', 'lastEventId', 'last-event-id', 'project', 'since', 'until', 'limit'])
    assert.match(error, new RegExp(`[ ,]${name}(,|$)`))
})

test('when all connections are taken whoever comes is asked to come later, at different times, and nobody is thrown out', async () => {
  const small = await stage.start('ingest', { FEED_CONNECTIONS: '3', FEED_CONNECTIONS_PER_ADDRESS: '2' })
  const url = `http://127.0.0.1:${small.port()}/sse/`
  const readers = await Promise.all([readFeed(url), readFeed(url)])
  const times = new Set<string>()
  for (let index = 0; index < 20; index++) {
    const { status, headers, body } = await send({ port: small.port(), path: '/sse', method: 'GET' })
    assert.equal(status, 503)
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.match(body.toString(), /^\{"error":"[^"]+"\}$/)
    assert.match(headers['retry-after'] ?? '', /^[1-9]\d*$/)
    times.add(headers['retry-after'] ?? '')
  }
  assert.ok(times.size > 3)
  const { body } = await send({ port: small.port(), path: '/metrics', method: 'GET' })
  assert.match(body.toString(), /^gitlab_webhooks_feed_refused_total\{reason="connections per address"\} 20$/m)
  await publisherOf(stage)([{ still: 'there' }])
  await until(() => readers.every(({ messages }) => messages.length === 1), 'those who were there read on')
  readers[0]?.close()
  await until(async () => {
    const again = await readFeed(url)
    again.close()
    return again.response.status === 200
  }, 'a slot is free again')
  readers[1]?.close()
})

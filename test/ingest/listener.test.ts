import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { type Process, startProcess } from '../support/service.ts'
import { openSlowRedis } from '../support/slow-redis.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let ingest: Process
before(async () => {
  stage = await openStage()
  ingest = await stage.start('ingest')
})
after(() => stage?.close())

test('a probe that speaks HTTP/1.0 and names no host is answered', async () => {
  const socket = connect(ingest.port(), '127.0.0.1')
  socket.end('GET /healthz HTTP/1.0\r\n\r\n')
  assert.match(await text(socket), /^HTTP\/1\.1 200 OK\r\n/)
})

test('a port that another process has is told in the log, and the exit code is 1', async () => {
  const second = startProcess('ingest', { ...stage.environment, PORT: String(ingest.port()) })
  assert.equal(await second.exit, 1)
  const last = second.lines.at(-1)
  assert.equal(last?.msg, 'cannot go on')
  assert.match(String(last?.reason), /EADDRINUSE/)
})

// How long each of six large hooks at once waits for its answer.
async function answerTimes(to: Process): Promise<number[]> {
  const body = JSON.stringify({ object_kind: 'push', text: 'x'.repeat(1_300_000) })
  return await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const start = performance.now()
      assert.equal((await post(to, body, { 'idempotency-key': `large-${index}` })).status, 202)
      return performance.now() - start
    }),
  )
}

test('six large hooks at once are answered in time though Redis is slow', async () => {
  const slow = await stage.start('ingest', { REDIS_URL: await openSlowRedis(stage, 700) })
  const ready = async () => (await fetch(`http://127.0.0.1:${slow.port()}/readyz`)).text()
  await until(async () => (await ready()).includes('"redis":{"state":"up"'), 'Redis is up')
  await post(slow, '{}', { 'idempotency-key': 'the script must be known there' })
  await until(async () => (await ready()).includes('"deliveries":0'), 'nothing is in the spool')
  // What this machine needs for them just now has nothing to do with Redis. One after another they would take 4.2 s more.
  const [withoutWaiting, longest] = (await Promise.all([answerTimes(ingest), answerTimes(slow)])).map((times) => Math.max(...times)) as [
    number,
    number,
  ]
  assert.ok(longest < 2000 + withoutWaiting, `${Math.round(longest)} ms, and ${Math.round(withoutWaiting)} ms when Redis is quick`)
  await slow.kill()
})

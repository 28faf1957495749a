// What ingest says and does while Redis is down or hangs, with a spool that works and with one that does not.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { deliveriesOf } from '../support/deliveries.ts'
import { besidePace } from '../support/pace.ts'
import { freePort } from '../support/ports.ts'
import { startRedis } from '../support/servers.ts'
import type { Environment, Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let directory: string
let stage: Stage
before(async () => {
  stage = await openStage()
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-redis-away-'))
  await writeFile(join(directory, 'a-file'), '')
})
after(async () => {
  await stage.close()
  await rm(directory, { recursive: true })
})

const spools = {
  works: { place: 'spool', post: 202, ready: 200, state: 'degraded' },
  'does not work': { place: 'a-file/spool', post: 503, ready: 503, state: 'not ready' },
}
const readySchema = z.object({ state: z.string(), redis: z.looseObject({ state: z.string() }) })

async function get(ingest: Process, path: string) {
  return await fetch(`http://127.0.0.1:${ingest.port()}${path}`)
}

async function ready(ingest: Process) {
  const answer = await get(ingest, '/readyz')
  const { state, redis } = readySchema.parse(await answer.json())
  return { status: answer.status, state, redis: redis.state }
}

async function metric(ingest: Process, name: string): Promise<number> {
  const text = await (await get(ingest, '/metrics')).text()
  return Number(new RegExp(`^gitlab_webhooks_${name} (\\S+)$`, 'm').exec(text)?.[1])
}

/** Posts a delivery under each of `ids` at once; each must be answered in two seconds. */
async function postInTime(ingest: Process, ids: string[]): Promise<Response[]> {
  const posting = ids.map(async (id) => {
    const began = performance.now()
    const answer = await post(ingest, '{"object_kind":"push"}', { 'idempotency-key': id })
    return { answer, ms: performance.now() - began }
  })
  const [answers, allowanceMs] = await besidePace(Promise.all(posting), () => ready(ingest))
  for (const { ms } of answers) assert.ok(ms < 2000 + allowanceMs, `answered after ${ms} ms`)
  return answers.map(({ answer }) => answer)
}

for (const [how, spool] of Object.entries(spools)) {
  const away = { status: spool.ready, state: spool.state, redis: 'down' }
  const environment = (url: string): Environment => ({ REDIS_URL: url, SPOOL_DIR: join(directory, spool.place) })

  async function recovers(ingest: Process, url: string): Promise<void> {
    await until(async () => (await ready(ingest)).redis === 'up', 'Redis is up again')
    await until(async () => (await post(ingest, '{}', { 'idempotency-key': 'back' })).status === 202, 'deliveries are taken again')
    const redis = new Redis(url)
    const deliveries = deliveriesOf({ redis, environment: stage.environment })
    await until(() => deliveries.find('back'), 'the delivery is in Redis')
    redis.disconnect()
  }

  test(`ingest starts and answers with Redis down when its spool ${how}, and needs no restart when Redis comes`, async () => {
    const port = await freePort()
    const url = `redis://127.0.0.1:${port}`
    const ingest = await stage.start('ingest', environment(url))
    assert.equal((await get(ingest, '/healthz')).status, 200)
    assert.deepEqual(await ready(ingest), away)
    const answers = await postInTime(ingest, ['down-1', 'down-2', 'down-3'])
    for (const { status, headers } of answers) {
      assert.equal(status, spool.post)
      assert.equal(headers.has('retry-after'), status === 503)
    }
    assert.ok((await metric(ingest, 'redis_errors_total')) > 0)
    assert.equal((await metric(ingest, 'spool_bytes')) > 0, spool.post === 202)
    const redis = await startRedis({ port })
    await recovers(ingest, url)
    await until(async () => (await metric(ingest, 'spool_bytes')) === 0, 'the spool is empty')
    assert.equal(await ingest.stop(), 0)
    await redis.stop()
  })

  test(`ingest answers in time while Redis hangs when its spool ${how}, and goes on when Redis does`, async () => {
    const redis = await startRedis()
    const ingest = await stage.start('ingest', environment(redis.url))
    await until(async () => (await ready(ingest)).redis === 'up', 'Redis is up')
    const pid = await redis.pid()
    process.kill(pid, 'SIGSTOP')
    try {
      const ids = Array.from({ length: 20 }, (_, index) => `hangs-${index}`)
      for (const { status } of await postInTime(ingest, ids)) assert.equal(status, spool.post)
      assert.equal((await get(ingest, '/healthz')).status, 200)
      assert.deepEqual(await ready(ingest), away)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await recovers(ingest, redis.url)
    await until(async () => spool.post === 503 || (await metric(ingest, 'spool_bytes')) === 0, 'all is handed over')
    assert.deepEqual(await ready(ingest), { status: 200, state: spool.post === 202 ? 'ready' : 'degraded', redis: 'up' })
    const control = new Redis(redis.url)
    await control.config('SET', 'maxmemory', '1')
    control.disconnect()
    assert.deepEqual(await ready(ingest), away, 'one that refuses writes is as bad')
    assert.equal(await ingest.stop(), 0)
    await redis.stop()
  })
}

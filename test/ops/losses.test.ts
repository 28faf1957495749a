// What was lost is told by everybody, with what to type, until somebody says that it has been seen to.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { rememberedLosses, rememberLoss } from '#shared/queue/losses.ts'
import { type Door, openDoor } from '../support/door.ts'
import { hookText } from '../support/fixtures.ts'
import { ops } from '../support/ops.ts'
import { runSql } from '../support/servers.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let door: Door
let worker: Process

before(async () => {
  stage = await openStage()
  door = await openDoor(stage.redisUrl)
  stage.defer(() => door.close())
  worker = await stage.start('worker')
})
after(() => stage?.close())

const ask = async (path: string) => {
  const text = await (await fetch(`http://127.0.0.1:${worker.port()}${path}`)).text()
  return path === '/metrics' ? text : text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
}
const lossesSchema = z.object({ losses: z.array(z.looseObject({ id: z.string(), kind: z.string() })) })
const marks = () => stage.redis.get(`{${stage.environment.REDIS_PREFIX}}:journal-met`)
const losses = async () => lossesSchema.parse(JSON.parse((await ops(stage.environment, 'status', '--json')).out)).losses

async function acknowledge(id: string): Promise<void> {
  const { code, out } = await ops(stage.environment, 'acknowledge', id, '--reason', 'seen to')
  assert.equal(code, 0)
  assert.match(out, /: acknowledged\n$/)
}

test('deliveries that were refused are remembered with from when to when, and how to find them, until that is acknowledged', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-losses-'))
  stage.defer(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'file'), '')
  const ingest = await stage.start('ingest', { REDIS_URL: door.url, SPOOL_DIR: join(directory, 'file', 'spool') })
  const send = (id: string) => post(ingest, hookText('push', stage.sandbox.gitlab.url), { 'idempotency-key': id })
  assert.equal((await send('first')).status, 202)
  await until(async () => (await ops(stage.environment, 'deliveries', '--id', 'first')).out.includes('first'), 'the journal has one')
  const started = new Date(Date.now() - 1000).toISOString()
  await door.close()
  for (const id of ['a', 'b', 'c']) assert.equal((await send(id)).status, 503)
  const ended = new Date(Date.now() + 2000).toISOString()
  await door.open()

  const day = String.raw`\d{4}-\d\d-\d\d`
  const time = String.raw`\d\d:\d\d:\d\d`
  const message = `3 deliveries refused ${day} ${time}–(?:${day} )?${time} UTC, since neither Redis nor the spool took them`
  const command = new RegExp(
    `${message}[.:]? +(bin/ops reconcile --since (\\S+) --until (\\S+)) --reason …; then bin/ops acknowledge (\\w+) --reason …`,
  )
  const page = await until(async () => command.exec(await ask('/')), 'the page tells')
  const status = await ops(stage.environment, 'status')
  const [, typed = '', since = '', to = '', id = ''] = command.exec(status.out) ?? []
  assert.ok(status.out.startsWith('lost: 3 deliveries refused'), status.out)
  assert.deepEqual(page.slice(1), [typed, since, to, id])
  assert.ok(Date.parse(since) < Date.parse(started) && Date.parse(to) <= Date.parse(ended) && since < to)
  assert.match(await ask('/doctor'), new RegExp(`losses wrong ${command.source}`))
  assert.match(await ask('/metrics'), /^gitlab_webhooks_losses\{kind="refused"\} 1$/m)

  assert.equal((await ops(stage.environment, 'acknowledge', id)).code, 2, 'not without a reason')
  await acknowledge(id)
  assert.deepEqual(await losses(), [])
  const again = await ops(stage.environment, 'acknowledge', id, '--reason', 'again')
  assert.deepEqual([again.code, again.out], [1, `${id}: there is no such loss, or it is acknowledged already\n`])
  assert.match((await ops(stage.environment, 'audit')).out, /acknowledge +1 +seen to/)
  await ingest.stop()
})

test('a Redis that has come back empty is told as that, with the steps that bring its deliveries back', async () => {
  await until(async () => Date.parse((await marks()) ?? '') > 0, 'Redis and the database know each other')
  await stage.redis.flushall()
  const said = await until(async () => /Lost: Redis has come back empty .*?acknowledge redis-empty/.exec(await ask('/'))?.[0], 'it is told')
  assert.match(said, /bin\/ops redeliver --since \S+Z --reason …, and pause again what was paused; then bin\/ops acknowledge redis-empty/)
  assert.deepEqual(
    (await losses()).map(({ kind }) => kind),
    ['redis-empty'],
  )
  await acknowledge('redis-empty')
  await until(() => worker.text().includes('Redis has come back empty'), 'the log tells it, too')
})

test('so is a database, also where it was replaced while no worker ran', async () => {
  await until(async () => Date.parse((await marks()) ?? '') > 0, 'Redis and the database know each other')
  await worker.stop()
  const name = new URL(stage.databaseUrl).pathname.slice(1)
  const server = new URL('/mysql', stage.databaseUrl).href
  await runSql(server, `drop database ${name}`)
  await runSql(server, `create database ${name}`)
  worker = await stage.start('worker')
  const mends =
    /losses wrong the database has come back empty \([^)]*\): the journal is lost load the last dump into it, then bin\/ops import "\$LOG_EVENTS_TO" --reason …: docs\/run\.md#restore; then bin\/ops acknowledge database-empty --reason …/
  const doctor = await until(async () => {
    const text = (await ask('/doctor')).replaceAll('&quot;', '"')
    // The tables may be under way.
    return mends.test(text) && text.includes('no delivery is in the journal see losses') ? text : undefined
  }, 'doctor tells')
  assert.doesNotMatch(doctor, /look at the system hook/)
  await acknowledge('database-empty')
  assert.deepEqual(await losses(), [])
})

test('nothing is lost where a worker starts for the first time, or again', async () => {
  await until(async () => Date.parse((await marks()) ?? '') > 0, 'Redis and the database know each other')
  await worker.stop()
  worker = await stage.start('worker')
  const looked = await marks()
  await stage.redis.set(`{${stage.environment.REDIS_PREFIX}}:journal-met`, new Date(0).toISOString())
  await until(async () => (await marks()) !== new Date(0).toISOString(), 'the worker has looked')
  assert.ok(looked)
  assert.deepEqual(await losses(), [])
})

test('a thousand losses are remembered, and what more comes of them', async () => {
  const place = { redis: stage.redis, prefix: 'many' }
  const at = new Date().toISOString()
  const loss = { kind: 'refused' as const, since: at, until: at }
  const known = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`loss-${index}`, JSON.stringify({ ...loss, count: 1 })]))
  await stage.redis.hset('{many}:losses', known)
  await rememberLoss(place, 'one-more', { ...loss, count: 1 })
  await rememberLoss(place, 'loss-7', { ...loss, count: 2 })
  const all = await rememberedLosses(place)
  assert.deepEqual([all.length, all.find(({ id }) => id === 'loss-7')?.count], [1000, 2])
})

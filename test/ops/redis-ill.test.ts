// A Redis that is full, read-only, frozen or closed to others, while deliveries come: what each place tells of it that an
// operator looks at, and that nothing is lost.
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { hookText } from '../support/fixtures.ts'
import { ops } from '../support/ops.ts'
import { type Server, startRedis } from '../support/servers.ts'
import type { Environment, Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let server: Server
let control: Redis
let environment: Environment
let ingest: Process
let worker: Process

before(async () => {
  stage = await openStage()
  server = await startRedis()
  control = new Redis(server.url)
  stage.defer(() => control.disconnect())
  stage.defer(() => server.stop())
  environment = { ...stage.environment, REDIS_URL: server.url }
  ;[ingest, worker] = await Promise.all([stage.start('ingest', environment), stage.start('worker', environment)])
  await until(async () => (await ask(worker, '/readyz')).status === 200, 'the worker is ready')
  await until(async () => (await ask(worker, '/')).text.includes('ingest'), 'the page has seen ingest')
})
after(() => stage?.close())

async function ask(process_: Process, path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${process_.port()}${path}`)
  return { status: answer.status, text: await answer.text() }
}

const plain = (text: string) => text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
const metric = (text: string, name: string) => Number(new RegExp(`^gitlab_webhooks_${name} (\\S+)$`, 'm').exec(text)?.[1])
const escaped = (text: string) => text.replaceAll(/[()]/g, '\\$&')
const hooks = 3

/** What is said of it by those who can still read from Redis, or cannot. */
type Incident = { reason: string; remedy: string; isRead: boolean; begin: () => unknown; end: () => unknown; only?: boolean }

const incidents: Record<string, Incident> = {
  full: {
    reason: 'refuses what we write: its memory is full (maxmemory)',
    remedy: 'raise maxmemory',
    isRead: true,
    begin: () => control.config('SET', 'maxmemory', '1'),
    end: () => control.config('SET', 'maxmemory', '0'),
  },
  'read-only': {
    reason: 'refuses what we write: it is a replica',
    remedy: 'put the address of the primary into REDIS_URL',
    isRead: true,
    begin: () => control.replicaof('127.0.0.1', 1),
    end: () => control.replicaof('NO', 'ONE'),
  },
  frozen: {
    reason: 'takes connections and does not answer',
    remedy: 'it is frozen or very busy',
    isRead: false,
    begin: async () => process.kill(await server.pid(), 'SIGSTOP'),
    end: () => process.kill(serverPid, 'SIGCONT'),
  },
}
let serverPid = 0

for (const [how, { reason, remedy, isRead, begin, end }] of Object.entries(incidents))
  test(`a Redis that is ${how} is down everywhere, the deliveries in the spool are counted, and all goes on by itself`, async () => {
    serverPid = await server.pid()
    await begin()
    try {
      const told = new RegExp(escaped(`Redis at 127\\.0\\.0\\.1:${server.port} ${reason}.`))
      const ids = Array.from({ length: hooks }, (_, hook) => `${how}-${hook}`)
      const hook = hookText('push', stage.sandbox.gitlab.url)
      const answers = await Promise.all(ids.map((id) => post(ingest, hook, { 'idempotency-key': id })))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [202, 202, 202],
      )

      const [ready, ofWorker, ...metrics] = await Promise.all([
        ask(ingest, '/readyz'),
        ask(worker, '/readyz'),
        ask(ingest, '/metrics'),
        ask(worker, '/metrics'),
      ])
      assert.equal(ready.status, 200, 'it stays where deliveries go')
      assert.match(ready.text, /^\{"state":"degraded","redis":\{"state":"down"/)
      assert.match(ready.text, told)
      assert.match(ready.text, /"spool":\{"state":"up","deliveries":3,"bytes":[1-9]/)
      assert.equal(ofWorker.status, 503)
      assert.match(ofWorker.text, told)

      for (const { status, text } of metrics) {
        assert.equal(status, 200)
        assert.equal(metric(text, 'redis_up'), 0)
        assert.ok(metric(text, 'redis_down_seconds') >= 0)
        assert.match(text, /^process_resident_memory_bytes /m)
      }
      const [spooling, working] = metrics.map(({ text }) => text)
      assert.equal(metric(spooling ?? '', 'spool_deliveries'), hooks)
      assert.equal(metric(working ?? '', 'database_up'), 1)

      const status = await ops(environment, 'status')
      assert.equal(status.code, 1, status.out)
      assert.match(status.out, new RegExp(`^redis +down: ${told.source}\\ndatabase +up\\n`))
      assert.match(status.out, isRead ? /\nspool +3 deliveries, \d+ bytes, since \S+ ago\n/ : /\nspool +unknown: ask ingest itself/)
      assert.match(status.out, isRead ? /\nGitLab token +(no expiry|expires)/ : /\nGitLab token +unknown\n/)
      if (isRead) assert.match(status.out, /\ningest +\S+ +\d+ /)

      const page = plain((await ask(worker, '/')).text)
      assert.match(page, isRead ? /Redis takes no writes: deliveries wait in the spool/ : /Redis is away/)
      assert.match(page, told)
      assert.match(page, / 3 in the spool, since/, 'the page remembers where ingest is')

      // It looks anew after some seconds only.
      const mends = new RegExp(`redis wrong ${told.source} ${remedy}`)
      const doctor = await until(async () => {
        const text = plain((await ask(worker, '/doctor')).text)
        return mends.test(text) ? text : undefined
      }, 'doctor says what to do')
      assert.match(doctor, /spool warning 3 deliveries wait on disk/)
      assert.doesNotMatch(doctor, /start it, or put its address|no delivery has ever come/)
    } finally {
      await end()
    }
    await until(async () => (await ask(ingest, '/readyz')).text.startsWith('{"state":"ready"'), 'ingest is ready')
    await until(async () => metric((await ask(ingest, '/metrics')).text, 'spool_deliveries') === 0, 'the spool is empty')
    await until(async () => (await ask(worker, '/readyz')).status === 200, 'the worker is ready')
    assert.equal(metric((await ask(worker, '/metrics')).text, 'redis_up'), 1)
  })

const outer = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

test('a Redis whose protected mode refuses us says so, in a few lines of JSON, and what to do', {
  skip: outer === undefined && 'this machine has no address but its own',
}, async () => {
  const shy = await startRedis({ settings: ['--bind', '0.0.0.0', '--protected-mode', 'yes'] })
  stage.defer(() => shy.stop())
  const refused = { ...environment, REDIS_URL: `redis://${outer}:${shy.port}` }
  const there = await stage.start('ingest', refused)
  const told = `Redis at ${outer}:${shy.port} refuses us: its protected mode refuses connections from other machines.`
  assert.equal((await post(there, '{}', { 'idempotency-key': 'shy' })).status, 202)
  const ready = await ask(there, '/readyz')
  assert.equal(ready.status, 200)
  assert.ok(ready.text.includes(told), ready.text)
  const { out, err, code } = await ops(refused, 'doctor')
  assert.deepEqual([code, err], [1, ''])
  assert.ok(out.includes(`${told}  → give it a password (\`requirepass\`) and put that into REDIS_URL`), out)
  const lines = there.text().trim().split('\n')
  assert.ok(lines.length < 20 && lines.every((line) => line.startsWith('{"level"')), there.text())
})

test('nothing but lines of JSON has come into the log, and no fault of ours', () => {
  for (const process_ of [ingest, worker])
    assert.deepEqual(
      process_
        .text()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('{"level"')),
      [],
    )
})

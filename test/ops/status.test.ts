// `status`: everything on one screen, also while Redis or the database is away.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { readFeed } from '../support/feed.ts'
import { hookText } from '../support/fixtures.ts'
import { ops, typeOps } from '../support/ops.ts'
import { freePort } from '../support/ports.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const part = z.object({ state: z.string(), reason: z.string().nullable() })
const statusSchema = z.object({
  at: z.iso.datetime(),
  redis: part,
  database: part,
  queues: z.array(
    z.looseObject({ id: z.string(), waiting: z.number(), delayed: z.number(), dead: z.number(), lag: z.number(), paused: z.boolean() }),
  ),
  remotes: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      since: z.string().nullable(),
      reason: z.string().nullable(),
      lastUse: z.string().nullable(),
    }),
  ),
  processes: z.array(z.looseObject({ app: z.string(), host: z.string(), pid: z.number(), version: z.string(), since: z.iso.datetime() })),
  spool: z.object({ deliveries: z.number(), bytes: z.number(), since: z.string().nullable() }).nullable(),
  feed: z.object({ subscribers: z.number() }).nullable(),
  token: z.looseObject({ expiresAt: z.string().nullable(), daysLeft: z.number().nullable() }).nullable(),
  dead: z.number().nullable(),
  lastDelivery: z.object({ id: z.string(), at: z.iso.datetime(), kind: z.string() }).nullable(),
  silence: z.object({ seconds: z.number(), usualSeconds: z.number() }).nullable(),
})

let stage: Stage
let ingest: Process
let worker: Process
before(async () => {
  stage = await openStage()
  ;[ingest, worker] = await Promise.all([stage.start('ingest'), stage.start('worker')])
})
after(() => stage?.close())

async function status(environment = stage.environment) {
  const said = await ops(environment, 'status', '--json')
  return { code: said.code, ...statusSchema.parse(JSON.parse(said.out)) }
}

test('it shows the processes, the feed and its subscribers, the last delivery, and the token', async () => {
  await until(async () => (await status()).token !== null, 'the worker has looked at its own token')
  await stage.redis.hset(`{${stage.environment.REDIS_PREFIX}}:token:gitlab`, {
    expires_at: '2031-05-06',
    checked_at: new Date().toISOString(),
    active: 'true',
    scopes: 'api',
    name: 'bot',
  })
  const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/`)
  stage.defer(reader.close)
  await post(ingest, hookText('push', stage.sandbox.gitlab.url), { 'idempotency-key': 'pushed' })
  const seen = await until(async () => {
    const now = await status()
    return now.feed?.subscribers === 1 && now.lastDelivery?.id === 'pushed' ? now : undefined
  }, 'the subscriber and the delivery are seen')
  assert.equal(seen.code, 0)
  assert.deepEqual(
    new Set(seen.processes.map(({ app, pid }) => `${app} ${pid}`)),
    new Set([`ingest ${ingest.pid()}`, `worker ${worker.pid()}`]),
  )
  assert.deepEqual(seen.spool, { deliveries: 0, bytes: 0, since: null })
  assert.deepEqual(
    seen.queues.filter(({ delayed }) => delayed > 0),
    [],
    'a chore that has its time is not put off',
  )
  assert.equal(seen.lastDelivery?.kind, 'push')
  assert.equal(seen.dead, 0)
  assert.deepEqual(
    seen.remotes.map(({ id, state }) => `${id} ${state}`),
    ['phabricator up', 'gitlab up', 'wiki up'],
  )
  assert.equal(seen.token?.expiresAt, '2031-05-06')
  assert.ok((seen.token?.daysLeft ?? 0) > 0)
})

test('a remote that is down, or refuses the token, shows with since when and why', async () => {
  stage.sandbox.phabricator.fault({ kind: 'refuse' })
  await post(ingest, hookText('merge-request-open', stage.sandbox.gitlab.url), { 'idempotency-key': 'opened' })
  const remote = async () => (await status()).remotes.find(({ id }) => id === 'phabricator')
  const held = await until(async () => ((await remote())?.state === 'held' ? await remote() : undefined), 'it is held')
  assert.match(held.reason ?? '', /^Phabricator cannot be reached/)
  const judged = await ops(stage.environment, 'status', '--exit-code')
  assert.equal(judged.code, 1)
  assert.match(judged.out, /^degraded: phabricator is on hold: Phabricator cannot be reached[^\n]*\n$/)
  assert.ok(Date.now() - Date.parse(held.since ?? '') < 200_000)
  stage.sandbox.phabricator.fault(undefined)
  await until(async () => (await remote())?.state === 'up', 'it is up again')
  const used = async () => Date.parse((await remote())?.lastUse ?? '')
  await until(async () => (await used()) > Date.parse(held.since ?? ''), 'it tells that the remote was asked since')
  assert.ok(Date.now() - (await used()) < 200_000)
})

test('in words it fits on a screen, without colours in a pipe', async () => {
  await stage.redis.hdel(`{${stage.environment.REDIS_PREFIX}}:token:gitlab`, 'expires_at')
  const { out, code } = await ops(stage.environment, 'status')
  assert.equal(code, 0)
  assert.match(out, /^redis +up\ndatabase +up\ndead letters +0\nlast delivery +\d+[sm] ago, merge_request, opened\n/)
  assert.match(out, /\nGitLab token +no expiry date \(checked \S+ ago\)\n/)
  assert.match(out, /\ningest +\S+ +\d+ /)
  assert.ok(out.split('\n').length < 40)
  assert.ok(!out.includes('\u001b'))
  const judged = await ops(stage.environment, 'status', '--exit-code')
  assert.equal(judged.code, 0, judged.out)
  assert.match(judged.out, /^ok: 1 ingest, 1 worker, last delivery \d{4}-[^\n]*\n$/)
})

test('--watch tells it again and again, until Ctrl-C', async () => {
  const typed = typeOps(stage.environment, 'status', '--watch')
  await until(() => typed.out().split('last delivery').length > 2, 'it was told twice')
  typed.kill('SIGINT')
  assert.equal((await typed.said).code, 0)
})

test('with Redis or the database away it tells what it can, and exits 1', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`
  const withoutRedis = await status({ ...stage.environment, REDIS_URL: `redis://${nowhere}` })
  assert.deepEqual([withoutRedis.code, withoutRedis.redis.state, withoutRedis.database.state], [1, 'down', 'up'])
  assert.equal(withoutRedis.redis.reason, `Redis does not answer at ${nowhere}.`)
  assert.deepEqual([withoutRedis.queues, withoutRedis.spool, withoutRedis.lastDelivery?.id], [[], null, 'opened'])

  const withoutDatabase = await status({ ...stage.environment, DATABASE_URL: `mysql://root@${nowhere}/nothing` })
  assert.deepEqual([withoutDatabase.code, withoutDatabase.redis.state, withoutDatabase.database.state], [1, 'up', 'down'])
  assert.deepEqual([withoutDatabase.dead, withoutDatabase.lastDelivery, withoutDatabase.processes.length], [0, null, 2])
  const broken = await ops({ ...stage.environment, REDIS_URL: `redis://${nowhere}` }, 'status', '--exit-code')
  assert.deepEqual([broken.code, broken.out], [2, `broken: Redis does not answer at ${nowhere}\n`])
  const words = await ops({ ...stage.environment, DATABASE_URL: `mysql://root@${nowhere}/nothing` }, 'status')
  assert.match(words.out, /database +down: The database says: .*ECONNREFUSED.*\ndead letters +0, by what is in the queues\n/)
})

test('a remote is up as of its last use, and down when it did not answer then, though nothing waits for it', async () => {
  const page = async () => {
    const text = await (await fetch(`http://127.0.0.1:${worker.port()}/`)).text()
    return text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
  }
  await until(async () => /wiki up \d+[sm] ago not asked since/.test(await page()), 'the wiki was asked for the reviewers')
  assert.match((await ops(stage.environment, 'status')).out, /\nwiki +up \d+[sm] ago, not asked since\n/)
  // The last good copy of the page serves, so no queue is on hold.
  stage.sandbox.wiki.state.mode = 'html'
  await post(ingest, hookText('merge-request-reopen', stage.sandbox.gitlab.url), { 'idempotency-key': 'reopened' })
  await until(async () => /wiki down \S+ ago The wiki answers 200 without the page/.test(await page()), 'it says why')
  stage.sandbox.wiki.state.mode = 'normal'
})

test('a process that is frozen is marked, with who does its work and what to do, and a rolling restart waits for it', async () => {
  const another = await stage.start('worker')
  const page = async (path: string) => {
    const text = await (await fetch(`http://127.0.0.1:${another.port()}${path}`)).text()
    return text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
  }
  await until(async () => (await status()).processes.length === 3, 'all are seen')
  assert.match((await ops(stage.environment, 'status')).out, /\nnext restart +wait: 1 ingest: while the only one restarts/)
  process.kill(worker.pid(), 'SIGSTOP')
  const key = `{${stage.environment.REDIS_PREFIX}}:present`
  const ids = await stage.redis.zrange(key, '0', '-1')
  const frozen = ids.find((id) => id.includes(`/${worker.pid()}/`)) ?? ''
  // It cannot say a word any more; eleven seconds pass.
  await stage.redis.zincrby(key, -11_000, frozen)
  try {
    const { out } = await ops(stage.environment, 'status')
    assert.match(out, new RegExp(`\nworker +\\S+ +${worker.pid()} .* silent: its work was taken over\n`))
    assert.match(out, new RegExp(`\nnext restart +wait: worker ${worker.pid()} on \\S+ is silent\n`))
    const silent = String.raw`[1-9]\ds: its work was taken over Is it frozen, or its machine\? It goes on by itself when it can; else kill it`
    assert.match(await page('/doctor'), new RegExp(`processes warning worker ${worker.pid()} on \\S+ has been silent for ${silent}`))
    assert.match(await page('/'), new RegExp(`worker ${worker.pid()} .* silent : its work was taken over. Is it frozen`))
  } finally {
    process.kill(worker.pid(), 'SIGCONT')
  }
  await until(async () => !(await page('/')).includes('silent'), 'it goes on')
  await another.stop()
})

test('a process that has stopped is gone at once', async () => {
  await worker.stop()
  assert.deepEqual(
    (await status()).processes.map(({ app }) => app),
    ['ingest'],
  )
})

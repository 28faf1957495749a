// After everything that can go wrong has gone wrong, no secret stands anywhere where somebody might read it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Redis } from 'ioredis'
import { sql } from 'kysely'
import { bodyOf } from '#shared/journal/body.ts'
import { readFeed } from '../support/feed.ts'
import { runSql } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { type Flow, holding, mergeRequestHook, openFlow, verbs } from './flow.ts'

const passwords = {
  database: 'the-database%/pass word',
  redis: 'the-redis-password',
  ops: 'the-ops-token-0123456789',
  old: 'the-old-source-token',
}
let flow: Flow
let user = ''

before(async () => {
  flow = await openFlow(async ({ databaseUrl, redisUrl, redis }) => {
    user = `u${Date.now()}`
    const name = new URL(databaseUrl).pathname.slice(1)
    await runSql(databaseUrl, `create user '${user}'@'%' identified by '${passwords.database}'`)
    await runSql(databaseUrl, `grant all on ${name}.* to '${user}'@'%'`)
    await redis.call('ACL', 'SETUSER', 'webhooks', 'on', `>${passwords.redis}`, '~*', '&*', '+@all')
    const withUser = (url: string, name_: string, password: string) => {
      const address = new URL(url)
      address.username = name_
      address.password = encodeURIComponent(password)
      return address.href
    }
    return {
      DATABASE_URL: withUser(databaseUrl, user, passwords.database),
      REDIS_URL: withUser(redisUrl, 'webhooks', passwords.redis),
      OPS_TOKEN: passwords.ops,
      SOURCE_TOKEN_OLD: passwords.old,
      DEBUG: 'true',
    }
  })
})
after(async () => {
  if (user !== '') await runSql(flow.databaseUrl, `drop user '${user}'@'%'`)
  await flow?.close()
})

test('no secret is in the output, in Redis, in the journal, in the measures or on the feed', async () => {
  const { gitlab, phabricator } = flow.sandbox
  const feed = await readFeed(`http://127.0.0.1:${flow.ingest.port()}/sse/`)
  flow.defer(feed.close)
  const secrets = [String(flow.environment.SOURCE_TOKEN), phabricator.token, gitlab.token, ...Object.values(passwords)]

  // Conduit repeats the token when it refuses it, and in errors that are dead letters at once or after some attempts.
  const known = phabricator.state.tokens.get(phabricator.token)
  assert.ok(known)
  phabricator.state.tokens.delete(phabricator.token)
  gitlab.fault({
    kind: 'status',
    status: 401,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ message: `${gitlab.token} is not known` }),
    times: 3,
  })
  await flow.send(mergeRequestHook(flow, { description: 'Bug: T1' }))
  await until(() => holding(flow.worker, 'phabricator').length > 0, 'Phabricator refuses')
  await until(() => holding(flow.worker, 'commits').length > 0, 'GitLab refuses')
  phabricator.state.tokens.set(phabricator.token, known)
  await flow.settled()
  assert.equal(verbs(flow, 1), 'opened')

  const repeating = (info: string) => ({
    kind: 'status' as const,
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      result: null,
      error_code: 'ERR-CONDUIT-CALL',
      error_info: `${info} does not define these parameters: ${phabricator.token} ${encodeURIComponent(passwords.database)}`,
    }),
    times: 1,
  })
  phabricator.fault(repeating('It'))
  await flow.send(mergeRequestHook(flow, { description: 'Bug: T5', action: 'close' }))
  await flow.settled()
  gitlab.fault({ kind: 'status', status: 403, body: `You with ${gitlab.token} may not`, times: 1 })
  await flow.send(mergeRequestHook(flow, { description: '', action: 'open' }))
  await flow.settled()
  const wrong = await fetch(`http://127.0.0.1:${flow.ingest.port()}/hooks`, {
    method: 'POST',
    headers: { 'x-gitlab-token': `${passwords.old}x` },
    body: '{}',
  })
  assert.equal(wrong.status, 401)
  assert.ok((await flow.dead('phabricator')).some(({ reason }) => reason.includes('[secret]')))
  await until(() => feed.messages.length === 3, 'the feed has its messages')

  const measures = await Promise.all(
    [flow.ingest, flow.worker].map(async (one) => (await fetch(`http://127.0.0.1:${one.port()}/metrics`)).text()),
  )
  const places: Record<string, string> = {
    'the output of ingest': flow.ingest.text(),
    'the output of the worker': flow.worker.text(),
    Redis: await everythingIn(flow.redis),
    'the journal': await everyRow(),
    'the measures': measures.join('\n'),
    'the feed': JSON.stringify([feed.messages, feed.comments]),
  }
  for (const [place, text] of Object.entries(places)) {
    assert.ok(text.length > 100, `${place} can be seen`)
    for (const secret of secrets) {
      for (const form of [
        secret,
        encodeURIComponent(secret),
        JSON.stringify(secret).slice(1, -1),
        Buffer.from(secret).toString('base64'),
      ]) {
        assert.ok(
          !text.includes(form),
          `${place} contains ${secret}: …${text.slice(Math.max(0, text.indexOf(form) - 200), text.indexOf(form) + 100)}…`,
        )
      }
    }
  }
})

const readers: Record<string, (redis: Redis, key: string) => Promise<unknown>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, '0', '-1'),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
}

async function everythingIn(redis: Redis): Promise<string> {
  const found: unknown[] = []
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1000)
    for (const key of keys) {
      const type = await redis.type(key)
      // It has expired meanwhile.
      if (type === 'none') continue
      const read = readers[type]
      assert.ok(read, `${key} can be read`)
      found.push(key, await read(redis, key))
    }
    cursor = next
  } while (cursor !== '0')
  return JSON.stringify(found).replaceAll('\\"', '"')
}

async function everyRow(): Promise<string> {
  const { database } = flow
  const { rows: tables } = await sql<{
    name: string
  }>`select table_name as name from information_schema.tables where table_schema = database()`.execute(database)
  const rows = await Promise.all(tables.map(({ name }) => sql`select * from ${sql.table(name)}`.execute(database)))
  const bodies = await database.selectFrom('bodies').select('body').execute()
  return JSON.stringify([rows.map((table) => table.rows), await Promise.all(bodies.map(({ body }) => bodyOf(body)))])
}

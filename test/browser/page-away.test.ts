// The operator's page while Redis or the database is away: what is known is shown, and the rest is missed aloud.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { type Door, openDoor } from '../support/door.ts'
import { ops } from '../support/ops.ts'
import type { Environment } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let redis: Door
let database: Door
let base: string
let environment: Environment

before(async () => {
  stage = await openStage()
  redis = await openDoor(stage.redisUrl)
  database = await openDoor(stage.databaseUrl)
  stage.defer(() => Promise.all([redis.close(), database.close()]))
  environment = { ...stage.environment, REDIS_URL: redis.url, DATABASE_URL: database.url }
  const worker = await stage.start('worker', environment)
  base = `http://127.0.0.1:${worker.port()}`
  await until(async () => (await fetch(`${base}/replays`)).status === 200, 'the journal has its tables')
})
after(() => stage?.close())

async function get(path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(base + path)
  return { status: answer.status, text: (await answer.text()).replaceAll(/<[^>]*>/g, ' ') }
}

test('while Redis is away the journal can be read, and the page says what is missing', async () => {
  await redis.close()
  await until(async () => (await get('/')).text.includes('Redis is away'), 'the overview says so')
  assert.equal((await get('/')).status, 200)
  assert.equal((await get('/deliveries')).status, 200)
  const sink = await get('/sinks/sse')
  assert.equal(sink.status, 503)
  assert.match(sink.text, /Redis does not answer/)
  await redis.open()
  await until(async () => (await get('/sinks/sse')).status === 200, 'it is back')
})

const kept = 'effects go on, what waits for it is kept'

test('while the database is away the queues can be seen, and everybody says what goes on and what is missing', async () => {
  await stage.redis.zadd(`{${stage.environment.REDIS_PREFIX}}:phabricator:failed`, 1, 'one', 2, 'another')
  const errors = async () => Number(/^gitlab_webhooks_database_errors_total (\d+)$/m.exec((await get('/metrics')).text)?.[1])
  const before = await errors()
  await database.close()
  const { status, text } = await get('/')
  assert.equal(status, 200)
  assert.match(text, /The database is away/)
  assert.match(text, /gitlab-mentions\s+running/)
  assert.match(text, / 2 +dead letters/)
  const letters = await get('/dead')
  assert.equal(letters.status, 503)
  assert.match(letters.text, new RegExp(`The database is away: ${kept}`))
  const metrics = await get('/metrics')
  assert.match(metrics.text, /^gitlab_webhooks_database_up 0$/m)
  assert.match(metrics.text, /^gitlab_webhooks_redis_up 1$/m)
  assert.ok((await errors()) > before)
  assert.match((await get('/doctor')).text, new RegExp(`database\\s+wrong[^→]*ECONNREFUSED.*\\s+start it, [^.]*${kept}`))

  const [deliveries, pause, seen] = await Promise.all([
    ops(environment, 'deliveries'),
    ops(environment, 'pause', 'phabricator', '--reason', 'a try'),
    ops(environment, 'status'),
  ])
  const said = `The database is away: ${kept}. It is the one at ${new URL(database.url).host}; bin/ops doctor says more.\n`
  assert.deepEqual([deliveries.code, deliveries.err, pause.code, pause.err], [1, said, 1, said])
  assert.equal(seen.code, 1)
  assert.match(seen.out, /\ndead letters +2, by what is in the queues\nlast delivery +unknown\n/)
  await stage.redis.del(`{${stage.environment.REDIS_PREFIX}}:phabricator:failed`)
  await database.open()
  await until(async () => (await get('/dead')).status === 200, 'it is back')
  await until(async () => /^gitlab_webhooks_database_up 1$/m.test((await get('/metrics')).text), 'the metrics say so')
})

test('a database that has no room left is down, though it can be read, and doctor says how to make some', async () => {
  await sql`
    create trigger full before insert on marks for each row
    signal sqlstate 'HY000' set mysql_errno = 1114, message_text = 'The table is full'`.execute(stage.database)
  const ready = await get('/readyz')
  assert.equal(ready.status, 503)
  assert.match(ready.text, /"database":\{"state":"down","reason":"The database says: The table is full"\}/)
  assert.match((await get('/')).text, /The database takes no writes: effects go on, what waits for it is kept/)
  const said = await until(
    async () => /database\s+wrong\s+The database says: The table is full\s+([^.]*)/.exec((await get('/doctor')).text)?.[1],
    'doctor says',
  )
  assert.match(said, /make room on its disk, such as by `purge binary logs before now\(\)`; then bin\/ops prune/)
  await sql`drop trigger full`.execute(stage.database)
  await until(async () => (await get('/readyz')).status === 200, 'it is up')
})

test('when the database goes away while a page is being made, the page says so', async () => {
  const { database: others } = stage
  await others.connection().execute(async (connection) => {
    await sql`lock tables effects write`.execute(connection)
    const asked = get('/dead')
    const waits = sql<{
      count: number
    }>`select count(*) as count from information_schema.processlist where db = database() and state like 'Waiting for table%'`
    await until(async () => Number((await waits.execute(others)).rows[0]?.count) > 0, 'the page waits for the table')
    await database.close()
    const { status, text } = await asked
    assert.equal(status, 503, text)
    assert.match(text, /The database is away: effects go on/)
    await sql`unlock tables`.execute(connection)
  })
  await database.open()
  await until(async () => (await get('/dead')).status === 200, 'it is back')
})

test('an address that leads nowhere is told so, and so is a request that cannot be understood', async () => {
  for (const [path, status, words] of [
    ['/nowhere', 404, /nothing at \/nowhere/],
    ['/deliveries/unknown', 404, /The journal does not have it/],
    ['/replays/7', 404, /no replay with this number/],
    ['/replays/x', 404, /no replay with this number/],
    ['/sinks/x', 404, /phabricator, commits/],
    ['/dead?mr=nonsense', 400, /mr: expected/],
    ['/deliveries?before=nonsense', 200, /No delivery matches/],
  ] as const) {
    const answer = await get(path)
    assert.equal(answer.status, status, `${path}: ${answer.text}`)
    assert.match(answer.text, words)
  }
})

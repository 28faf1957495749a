// The operator's page while Redis or the database is away: what is known is shown, and the rest is missed aloud.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { type Door, openDoor } from '../support/door.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let redis: Door
let database: Door
let base: string

before(async () => {
  stage = await openStage()
  redis = await openDoor(stage.redisUrl)
  database = await openDoor(stage.databaseUrl)
  stage.defer(() => Promise.all([redis.close(), database.close()]))
  const worker = await stage.start('worker', { REDIS_URL: redis.url, DATABASE_URL: database.url })
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

test('while the database is away the queues can be seen, and the page says what is missing', async () => {
  await database.close()
  const { status, text } = await get('/')
  assert.equal(status, 200)
  assert.match(text, /The database is away/)
  assert.match(text, /gitlab-mentions\s+running/)
  const letters = await get('/dead')
  assert.equal(letters.status, 503)
  assert.match(letters.text, /The database does not answer/)
  await database.open()
  await until(async () => (await get('/dead')).status === 200, 'it is back')
})

test('when the database goes away while a page is being made, the page says so', async () => {
  const { database: others } = stage
  await others.connection().execute(async (connection) => {
    await sql`lock tables effects write`.execute(connection)
    const asked = get('/dead')
    const waits = sql<{ count: number }>`select count(*) as count from information_schema.processlist where state like 'Waiting for table%'`
    await until(async () => Number((await waits.execute(others)).rows[0]?.count) > 0, 'the page waits for the table')
    await database.close()
    const { status, text } = await asked
    assert.equal(status, 503, text)
    assert.match(text, /The database does not answer/)
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

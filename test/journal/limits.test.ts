// No query hangs for ever, and connections that are gone cost nobody anything.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { Registry } from 'prom-client'
import { type Database, meaningOf, openDatabase } from '#shared/journal/database.ts'
import { Unavailable } from '#shared/process/errors.ts'
import { runSql, type Server, startMariaDb } from '../support/servers.ts'
import { until } from '../support/until.ts'

let server: Server
let database: Database
const metrics = new Registry()

before(async () => {
  server = await startMariaDb()
  database = openDatabase(server.url, { longestMs: 400, metrics })
})
after(async () => {
  await database?.destroy()
  await server?.stop()
})

const errors = async () => /^gitlab_webhooks_database_errors_total (\d+)$/m.exec(await metrics.metrics())?.[1]
const isUnavailable = (error: unknown) => meaningOf(error) instanceof Unavailable

test('a statement that takes too long is ended, means that the database is away, and is counted', async () => {
  assert.equal(await errors(), '0')
  await assert.rejects(sql`select sleep(20)`.execute(database), isUnavailable)
  assert.equal(await errors(), '1')
})

test('a database that hangs is given up, and used again when it goes on', async () => {
  const pid = await server.pid()
  process.kill(pid, 'SIGSTOP')
  try {
    // The server may answer once more before it stops.
    await until(() => sql`select 1`.execute(database).then(() => false, isUnavailable), 'a query is given up')
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await until(async () => await sql`select 1`.execute(database), 'it is used again')
})

test('connections that the server has closed meanwhile fail no query, and there are five at most', async () => {
  // With the usual limit: under the short one a query fails also when the machine has no time for it.
  const usual = openDatabase(server.url)
  const ids = await Promise.all(
    Array.from({ length: 20 }, () => sql<{ id: number }>`select connection_id() as id, sleep(0.02)`.execute(usual)),
  )
  const open = new Set(ids.map(({ rows }) => rows[0]?.id))
  assert.equal(open.size, 5)
  for (const id of open) await runSql(server.url, `kill ${id}`)
  const others = openDatabase(server.url)
  await until(async () => {
    const { rows } = await sql<{ id: number }>`select id from information_schema.processlist`.execute(others)
    return !rows.some(({ id }) => open.has(id))
  }, 'the connections are gone')
  await others.destroy()
  for (let round = 0; round < 10; round++) await sql`select 1`.execute(usual)
  await usual.destroy()
})

test('what cuts a statement short, or leaves no room for it, means that the database is away', async () => {
  const others = openDatabase(server.url)
  const sleeper = sql<{ id: number }>`select id from information_schema.processlist where info like 'select sleep(19)%'`
  for (const how of ['kill', 'kill query']) {
    const cut = assert.rejects(sql`select sleep(19)`.execute(others), isUnavailable, how)
    const id = await until(async () => (await sleeper.execute(others)).rows[0]?.id, 'it sleeps')
    await runSql(server.url, `${how} ${id}`)
    await cut
  }
  for (const number of [1021, 1026, 1030, 1037, 1041, 1114, 1135, 1206]) {
    const statement = sql`signal sqlstate 'HY000' set mysql_errno = ${sql.lit(number)}`
    await assert.rejects(statement.execute(others), isUnavailable, String(number))
  }
  await others.destroy()
})

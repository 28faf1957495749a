// The journal's database: MySQL 8 or MariaDB 10.4 and newer, reached through a small pool.
import { Socket } from 'node:net'
import { Kysely, type LogEvent, MysqlDialect, type MysqlPool, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { createPool, type Pool, type PoolConnection, type PoolOptions } from 'mysql2'
import { Counter, type Registry } from 'prom-client'
import { z } from 'zod'
import { Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

export type Database = Kysely<Tables>

// Where each database is, for what needs a connection of its own.
const urls = new WeakMap<Database, string>()

/**
 * The database at `url` (mysql://user:password@host:port/database). Connects when it is first asked; at most 5 connections.
 * No statement takes longer than `longestMs`. With `metrics`, statements that failed are counted there.
 */
export function openDatabase(url: string, { longestMs = 30_000, metrics }: { longestMs?: number; metrics?: Registry } = {}): Database {
  const pool = openPool(url, { connectionLimit: 5 }).on('connection', (connection) => limit(connection, longestMs))
  const errors = metrics && countErrors(metrics)
  const log = ({ level }: LogEvent) => void (level === 'error' && errors?.inc())
  const database = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: errors ? countingPool(pool, errors) : pool }), log })
  urls.set(database, url)
  return database
}

function openPool(url: string, options: PoolOptions): Pool {
  const { hostname, port, username, password, pathname } = new URL(url)
  return createPool({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 3306 : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    idleTimeout: 60_000,
    connectTimeout: 2000,
    ...options,
  })
}

// MariaDB limits every statement, MySQL those that only read; each takes what is in the other's comment for one. A server
// that hangs cannot keep to any limit: then the connection is given up here, a little later.
function limit(connection: PoolConnection, longestMs: number): void {
  connection.query(
    `set session /*M! max_statement_time = ${longestMs / 1000} */ /*!80000 max_execution_time = ${longestMs} */`,
    () => undefined,
  )
  // No statement depends on an earlier one. So it need not keep others from changing rows that it only read.
  connection.query('set session transaction isolation level read committed', () => undefined)
  const patienceMs = 1.25 * longestMs
  const { stream } = z.object({ stream: z.instanceof(Socket) }).parse(connection)
  stream.setTimeout(patienceMs, () => stream.destroy(new Error(`nothing was heard from it for ${patienceMs / 1000} s`)))
}

function countErrors(metrics: Registry): Counter {
  return new Counter({
    name: 'gitlab_webhooks_database_errors_total',
    help: 'Statements that the database did not carry out, or that did not reach it.',
    registers: [metrics],
  })
}

// Kysely's log tells of statements only: where there is no connection there is none.
function countingPool(pool: Pool, errors: Counter): MysqlPool {
  return {
    getConnection: (done) =>
      pool.getConnection((error, connection) => {
        if (error) errors.inc()
        done(error, connection)
      }),
    end: (done) => pool.end((error) => done(error)),
  }
}

/** Brings the tables up to date, once, under a lock, however long that takes. Throws as `meaningOf` says. */
export async function migrate(database: Database): Promise<void> {
  await checkVersion(database)
  const pool = openPool(urls.get(database) ?? '', { connectionLimit: 1 })
  const patient = new Kysely<Tables>({ dialect: new MysqlDialect({ pool }) })
  const provider = { getMigrations: (): Promise<Record<string, Migration>> => Promise.resolve(migrations) }
  const tables = { migrationTableName: 'migrations', migrationLockTableName: 'migrations_lock' }
  const migrator = new Migrator({ db: patient, provider, ...tables })
  try {
    const { error } = await migrator.migrateToLatest()
    if (error) throw meaningOf(error)
  } finally {
    await patient.destroy()
  }
}

/** What it is, such as `10.11.19-MariaDB`, `5.5.5-10.4.34-MariaDB-log`, or `MySQL 8.0.40`. Throws `Refused` when it is too old. */
export async function checkVersion(database: Database): Promise<string> {
  const { rows } = await sql<{ version: string }>`select version() as version`.execute(database).catch((error: unknown) => {
    throw meaningOf(error)
  })
  const version = rows[0]?.version ?? ''
  const isMariaDb = /mariadb/i.test(version)
  const [major = 0, minor = 0] = version
    .replace(/^5\.5\.5-/, '')
    .split(/[.-]/)
    .map(Number)
  const isNewEnough = isMariaDb ? major > 10 || (major === 10 && minor >= 4) : major >= 8
  if (!isNewEnough) throw new Refused(`The database is ${version}: MariaDB 10.4 or MySQL 8.0, or newer, is needed.`)
  return isMariaDb ? version : `MySQL ${version}`
}

/** The database is away, or can do nothing just now: `what` says so in a sentence that begins with "The database". */
export class DatabaseAway extends Unavailable {
  readonly what: 'is away' | 'has no room left' | 'takes no writes' | 'is too busy'
  constructor(message: string, what: DatabaseAway['what'], options?: ErrorOptions) {
    super(message, options)
    this.what = what
  }
}

// By errno: mysql2 gives wrong codes for the errors that only MariaDB has.
const refused = new Set([1044, 1045, 1049, 1142, 1143, 1698])
const away: Record<Exclude<DatabaseAway['what'], 'is away'>, Set<number>> = {
  'is too busy': new Set([1040, 1203, 1226, 1205, 1206, 1213, 1317, 1969, 3024, 4151]), // too many connections, locked by others, too slow
  'takes no writes': new Set([1290, 1836]),
  'has no room left': new Set([1021, 1026, 1030, 1037, 1114]),
}
const stopping = new Set([1041, 1053, 1135, 1927])

/** What a database error means: `Refused` (credentials, no such database), `DatabaseAway`, else `Permanent`. */
export function meaningOf(error: unknown): Error {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : Number.NaN
  const message = `The database says: ${error instanceof Error ? error.message : String(error)}`
  if (refused.has(errno)) return new Refused(message)
  for (const what of ['is too busy', 'takes no writes', 'has no room left'] as const)
    if (away[what].has(errno)) return new DatabaseAway(message, what)
  const saidBySql = errno >= 1000 && errno < 10_000 && !stopping.has(errno)
  return saidBySql ? new Permanent(message) : new DatabaseAway(message, 'is away')
}

// The journal's database: MySQL 8 or MariaDB 10.4 and newer, reached through a small pool.
import { Kysely, MysqlDialect, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { createPool } from 'mysql2'
import { inWords, Permanent, Refused, Unavailable } from '../errors.ts'
import type { Probe } from '../health.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

export type Database = Kysely<Tables>

/** The database at `url` (mysql://user:password@host:port/database). Connects when it is first asked; at most 3 connections. */
export function openDatabase(url: string): Database {
  const { hostname, port, username, password, pathname } = new URL(url)
  const pool = createPool({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 3306 : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    connectionLimit: 3,
    idleTimeout: 60_000,
    connectTimeout: 2000,
  })
  return new Kysely<Tables>({ dialect: new MysqlDialect({ pool }) })
}

/** Brings the tables up to date, once, under a lock. Throws as `meaningOf` says. */
export async function migrate(database: Database): Promise<void> {
  await checkVersion(database)
  const provider = { getMigrations: (): Promise<Record<string, Migration>> => Promise.resolve(migrations) }
  const { error } = await new Migrator({
    db: database,
    provider,
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
  }).migrateToLatest()
  if (error) throw meaningOf(error)
}

// `10.11.19-MariaDB`, `5.5.5-10.4.34-MariaDB-log`, or `8.0.40`.
async function checkVersion(database: Database): Promise<void> {
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
}

/** Whether the database answers, for `/readyz`. */
export function databaseProbe(database: Database): Probe {
  return async () => {
    try {
      await sql`select 1`.execute(database)
      return { state: 'up' }
    } catch (error) {
      return { state: 'down', reason: inWords(meaningOf(error)) }
    }
  }
}

// By errno: mysql2 gives wrong codes for the errors that only MariaDB has.
const refused = new Set([1044, 1045, 1049, 1142, 1143, 1698])
const down = new Set([1040, 1053, 1203, 1205, 1213, 1226, 1290, 1836, 1969, 3024, 4151])

/** What a database error means: `Refused` (credentials, no such database), `Unavailable` (away, busy, read-only), else `Permanent`. */
export function meaningOf(error: unknown): Error {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : Number.NaN
  const message = `The database says: ${error instanceof Error ? error.message : String(error)}`
  if (refused.has(errno)) return new Refused(message)
  const saidBySql = errno >= 1000 && errno < 10_000 && !down.has(errno)
  return saidBySql ? new Permanent(message) : new Unavailable(message)
}

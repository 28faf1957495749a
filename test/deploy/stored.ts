// What a release has stored, as files that a later release must understand: the keys of Redis, the rows of the journal, and the
// spool. In words rather than in the servers' own forms, so that any server takes them.
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { z } from 'zod'
import { migrations } from '#shared/journal/migrations.ts'
import type { Stage } from '../support/stage.ts'

const pairs = z.array(z.tuple([z.string(), z.string()]))
const keySchema = z.object({
  key: z.string(),
  ttlMs: z.number().optional(),
  value: z.discriminatedUnion('type', [
    z.object({ type: z.literal('string'), is: z.string() }),
    z.object({ type: z.literal('list'), is: z.array(z.string()) }),
    z.object({ type: z.literal('set'), is: z.array(z.string()) }),
    z.object({ type: z.literal('hash'), is: pairs }),
    z.object({ type: z.literal('zset'), is: pairs }),
    z.object({ type: z.literal('stream'), is: z.array(z.tuple([z.string(), z.array(z.string())])) }),
  ]),
})
type Key = z.output<typeof keySchema>

const cell = z.union([z.string(), z.number(), z.null(), z.object({ base64: z.string() }), z.object({ time: z.string() })])
const tableSchema = z.object({ table: z.string(), rows: z.array(z.record(z.string(), cell)) })

/** Where the processes of a stage read what was stored: its prefix, and the directory of its spool. */
type Place = Pick<Stage, 'redis' | 'database'> & { prefix: string; spool: string }

export async function record({ redis, database, prefix }: Place, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const keys = (await redis.keys(`{${prefix}}:*`)).sort()
  const stored = await Promise.all(keys.map(async (key) => ({ key, ...(await lifeOf(redis, key)), value: await contentOf(redis, key) })))
  await writeFile(join(directory, 'redis.json'), `${JSON.stringify(stored, null, 1)}\n`)
  const { rows: tables } = await sql<Record<string, string>>`show tables`.execute(database)
  const contents = await Promise.all(
    tables
      .flatMap((row) => Object.values(row))
      .filter((table) => table !== 'migrations_lock')
      .map(async (table) => ({
        table,
        rows: (await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(database)).rows,
      })),
  )
  const inWords = contents.map(({ table, rows }) => ({ table, rows: rows.map((row) => mapValues(row, cellOf)) }))
  await writeFile(join(directory, 'journal.json'), `${JSON.stringify(inWords, null, 1)}\n`)
}

/** Puts back what `record` wrote. The tables are made as they were then: by the migrations that had been run. */
export async function putBack({ redis, database, spool }: Omit<Place, 'prefix'>, directory: string): Promise<void> {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(directory, name), 'utf8'))
  for (const key of z.array(keySchema).parse(await read('redis.json'))) await putKey(redis, key)
  const tables = z.array(tableSchema).parse(await read('journal.json'))
  const known = new Set(tables.find(({ table }) => table === 'migrations')?.rows.map(({ name }) => name))
  const then = Object.fromEntries(Object.entries(migrations).filter(([name]) => known.has(name)))
  const names = { migrationTableName: 'migrations', migrationLockTableName: 'migrations_lock' }
  const { error } = await new Migrator({
    db: database,
    provider: { getMigrations: () => Promise.resolve(then) },
    ...names,
  }).migrateToLatest()
  assert.ifError(error)
  for (const { table, rows } of tables.filter(({ table }) => table !== 'migrations'))
    for (const row of rows) {
      const columns = sql.join(Object.keys(row).map((name) => sql.ref(name)))
      await sql`insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row).map(valueIn))})`.execute(database)
    }
  await mkdir(spool, { recursive: true, mode: 0o700 })
  for (const name of await readdir(join(directory, 'spool')))
    await writeFile(join(spool, name), await readFile(join(directory, 'spool', name)), { mode: 0o600 })
}

async function lifeOf(redis: Stage['redis'], key: string): Promise<{ ttlMs?: number }> {
  const ttlMs = await redis.pttl(key)
  return ttlMs > 0 ? { ttlMs } : {}
}

async function contentOf(redis: Stage['redis'], key: string): Promise<Key['value']> {
  const type = await redis.type(key)
  if (type === 'string') return { type, is: (await redis.get(key)) ?? '' }
  if (type === 'list') return { type, is: await redis.lrange(key, 0, -1) }
  if (type === 'set') return { type, is: (await redis.smembers(key)).sort() }
  if (type === 'hash') return { type, is: Object.entries(await redis.hgetall(key)) }
  if (type === 'zset') return { type, is: pairsOf(await redis.zrange(key, '0', '-1', 'WITHSCORES')) }
  if (type === 'stream') return { type, is: await redis.xrange(key, '-', '+') }
  throw new Error(`${key} is a ${type}.`)
}

function pairsOf(list: string[]): Array<[string, string]> {
  return list.flatMap((member, at): Array<[string, string]> => (at % 2 === 0 ? [[member, list[at + 1] ?? '']] : []))
}

async function putKey(redis: Stage['redis'], { key, ttlMs, value: { type, is } }: Key): Promise<void> {
  if (type === 'string') await redis.set(key, is)
  else if (type === 'list') await redis.rpush(key, ...is)
  else if (type === 'set') await redis.sadd(key, ...is)
  else if (type === 'hash') await redis.hset(key, ...is.flat())
  else if (type === 'zset') await redis.zadd(key, ...is.flatMap(([member, score]) => [score, member]))
  else for (const [id, fields] of is) await redis.xadd(key, id, ...fields)
  if (ttlMs !== undefined) await redis.pexpire(key, ttlMs)
}

function mapValues<A, B>(row: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, change(value)]))
}

function cellOf(value: unknown): z.output<typeof cell> {
  if (Buffer.isBuffer(value)) return { base64: value.toString('base64') }
  if (value instanceof Date) return { time: value.toISOString() }
  return cell.parse(typeof value === 'object' && value !== null ? JSON.stringify(value) : value)
}

function valueIn(value: z.output<typeof cell>): string | number | null | Buffer | Date {
  if (typeof value !== 'object' || value === null) return value
  return 'base64' in value ? Buffer.from(value.base64, 'base64') : new Date(value.time)
}

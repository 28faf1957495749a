// Redis and the database know each other by a mark that each has: where one has it and the other does not, the other has
// come back empty. That is told once, and remembered until somebody acknowledges it.
import { setTimeout as pause } from 'node:timers/promises'
import { type Database, migrate } from '#shared/journal/database.ts'
import { unlessNew } from '#shared/journal/feed.ts'
import { readMark, writeMark } from '#shared/journal/marks.ts'
import type { Log } from '#shared/process/log.ts'
import { type Loss, rememberOnce } from '#shared/queue/losses.ts'
import { keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'

type Parts = QueuePlace & { database: Database; log: Log; signal: AbortSignal }

const lookMs = 5000
const refreshMs = 60_000
const begun = 'begun'

/** Looks until `signal` aborts; while one of the two is away nothing is told. */
export async function watchAcquaintance({ redis, prefix, database, log, signal }: Parts): Promise<void> {
  const key = `${keyPrefix(prefix)}:journal-met`
  const inDatabase = () => readMark(database, 'redis').catch(unlessNew(undefined))
  const inRedis = () => redis.get(key)

  async function look(): Promise<void> {
    const before = await inDatabase()
    const met = await inRedis()
    // Another worker may be writing both just now, so the one that is missing is asked once more.
    if (before && met === null && (await inRedis()) === null) await tell('redis-empty', before.toISOString())
    if (!before && met !== null && met !== begun && !(await inDatabase())) await tell('database-empty', met)
    if (before && met !== null && met !== begun && Date.now() - Date.parse(met) < refreshMs) return
    if (!before) await migrate(database)
    // In this order, so that a worker that dies in between leaves nothing that looks like a loss.
    if (met === null) await redis.set(key, begun)
    await writeMark(database, 'redis')
    await redis.set(key, new Date().toISOString())
  }

  async function tell(kind: Loss['kind'], since: string): Promise<void> {
    const isFirst = await rememberOnce({ redis, prefix }, { kind, since, until: new Date().toISOString() })
    if (isFirst)
      log.error({ since }, `${kind === 'redis-empty' ? 'Redis' : 'the database'} has come back empty: bin/ops doctor says what to do`)
  }

  while (!signal.aborted) {
    if (redis.status === 'ready') await look().catch(() => undefined)
    await pause(lookMs, undefined, { ref: false, signal }).catch(() => undefined)
  }
}

// What an operator's action works on: the queues, the journal, and the record of what operators did.
import { once } from 'node:events'
import { userInfo } from 'node:os'
import { z } from 'zod'
import { databaseUrl, places, redisUrl } from '#shared/env.ts'
import { Unavailable } from '#shared/errors.ts'
import { type Database, migrate, openDatabase } from '#shared/journal/database.ts'
import { impatientRedis, openQueues, type Queues } from '#shared/queues.ts'
import { hostsOf, type Redis } from '#shared/redis.ts'
import { type Lanes, openLanes } from '../lanes.ts'

export const opsSchema = z
  .object(places)
  .superRefine((env, context) => {
    if (databaseUrl(env) !== undefined) return
    context.addIssue({ code: 'custom', path: ['DATABASE_URL'], message: 'is required: mysql://user:password@host:port/database' })
  })
  .transform((env) => ({ redisUrl: redisUrl(env), redisPrefix: env.REDIS_PREFIX, databaseUrl: databaseUrl(env) ?? '' }))

export type Place = {
  redis: Redis
  prefix: string
  queues: Queues
  lanes: Lanes
  database: Database
  /** Writes down what an operator did: the verb, why, what it was asked for, and to how many things it happened. */
  record: (verb: string, reason: string, details: object, count: number) => Promise<void>
  close: () => Promise<void>
}

const patience = 3000

/** Opens the place that the configuration names, with the journal's tables brought up to date. Rejects when a part is away. */
export async function openPlace(config: z.output<typeof opsSchema>): Promise<Place> {
  const database = openDatabase(config.databaseUrl)
  await migrate(database)
  const redis = impatientRedis(config.redisUrl, 5000)
  await once(redis, 'ready', { signal: AbortSignal.timeout(patience) }).catch(() => {
    throw new Unavailable(`Redis does not answer at ${hostsOf(config.redisUrl)}.`)
  })
  const { redisPrefix: prefix } = config
  const queues = openQueues({ redis, prefix })
  return {
    redis,
    prefix,
    queues,
    lanes: openLanes({ redis, prefix }),
    database,
    async record(verb, reason, details, count) {
      const act = {
        at: new Date(),
        who: userInfo().username,
        verb,
        reason: reason.slice(0, 600),
        details: JSON.stringify(details).slice(0, 60_000),
        count,
      }
      await database.insertInto('acts').values(act).execute()
    },
    async close() {
      await Promise.all(Object.values(queues).map((queue) => queue.close()))
      redis.disconnect()
      await database.destroy()
    },
  }
}

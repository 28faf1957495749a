// What an operator's action works on: the queues, the journal, the sinks as far as they can look, and the record of what
// operators did.
import { once } from 'node:events'
import { hostname, userInfo } from 'node:os'
import type { z } from 'zod'
import { type Database, migrate, openDatabase } from '#shared/journal/database.ts'
import { databaseUrl } from '#shared/process/database-address.ts'
import { Unavailable } from '#shared/process/errors.ts'
import { hostsOf } from '#shared/process/redis-address.ts'
import { type Lanes, openLanes } from '#shared/queue/lanes.ts'
import type { Presence } from '#shared/queue/presence.ts'
import { impatientRedis } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { configFrom, variables, type WorkerConfig } from '#sinks/config.ts'
import { openQueues, type Queues } from '#sinks/queues.ts'
import { type RecordAct, recorder } from './audit.ts'

export const opsSchema = variables
  .superRefine((env, context) => {
    if (databaseUrl(env) !== undefined) return
    context.addIssue({ code: 'custom', path: ['DATABASE_URL'], message: 'is required: mysql://user:password@host:port/database' })
  })
  .transform(configFrom)
export type OpsConfig = z.output<typeof opsSchema>

export type OpsContext = {
  config: WorkerConfig
  redis: Redis
  prefix: string
  queues: Queues
  lanes: Lanes
  database: Database
  /** Who acts. */
  who: string
  record: RecordAct
  /** The processes as Redis had them last, for when it can be read no more. */
  seen: { processes: Presence[] }
  close: () => Promise<void>
}

const patienceMs = 3000

type Parts = { config: WorkerConfig; redis: Redis; queues?: Queues; database: Database; who: string }

/** A context over connections that are there. Nobody is asked whether they work. */
export function contextOver({ config, redis, queues: given, database, who }: Parts): OpsContext {
  const { redisPrefix: prefix } = config
  const queues = given ?? openQueues({ redis, prefix })
  return {
    config,
    redis,
    prefix,
    queues,
    lanes: openLanes({ redis, prefix }),
    database,
    who,
    record: recorder(database, who),
    seen: { processes: [] },
    async close() {
      await Promise.all(Object.values(queues).map((queue) => queue.close()))
      redis.disconnect()
      await database.destroy()
    },
  }
}

/** The context that the configuration names, whether or not its parts answer. Redis gets a moment to be there. */
export async function openUncheckedContext(config: WorkerConfig): Promise<OpsContext> {
  const redis = impatientRedis(config.redisUrl, 5000)
  await once(redis, 'ready', { signal: AbortSignal.timeout(patienceMs) }).catch(() => undefined)
  return contextOver({ config, redis, database: openDatabase(config.databaseUrl), who: whoeverRunsThis() })
}

/** The context that the configuration names, with the journal's tables brought up to date. Rejects when a part is away. */
export async function openContext(config: WorkerConfig): Promise<OpsContext> {
  const context = await openUncheckedContext(config)
  try {
    if (context.redis.status !== 'ready') throw new Unavailable(`Redis does not answer at ${hostsOf(config.redisUrl)}.`)
    await migrate(context.database)
  } catch (error) {
    await context.close()
    throw error
  }
  return context
}

/** The user that this process runs as. In a container that may be a number without a name. */
export function whoeverRunsThis(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'} on ${hostname()}`
  }
}

// Opens the operator's page over the connections of the worker that serves it. The worker loads it when somebody asks for it.
import { Hono } from 'hono'
import type { Database } from '#shared/journal/database.ts'
import type { Lifecycle } from '#shared/process/lifecycle.ts'
import type { Log } from '#shared/process/log.ts'
import type { Secret } from '#shared/process/secret.ts'
import type { Redis } from '#shared/queue/redis.ts'
import type { Queues } from '#sinks/queues.ts'
import { recorder } from '../audit.ts'
import { contextOver, type OpsConfig } from '../context.ts'
import { endedSessions } from './door/ended.ts'
import { operatorPage } from './page.ts'
import { openRunner } from './replays/runner.ts'

type Parts = {
  config: OpsConfig
  at: { host: string; token: Secret | undefined; readToken: Secret | undefined }
  redis: Redis
  queues: Queues
  database: Database
  lifecycle: Lifecycle
  log: Log
}

/** The page; what it runs in the background ends with `lifecycle`. */
export function openPage({ config, at: { host, token, readToken }, redis, queues, database, lifecycle, log }: Parts): Hono {
  const base = contextOver({ config, redis, queues, database, who: 'nobody' })
  const contextFor = (who: string) => ({ ...base, who, record: recorder(database, who) })
  const runner = openRunner(log)
  lifecycle.push('replays', () => runner.stop())
  const ended = endedSessions({ redis, prefix: config.redisPrefix, log })
  const page = operatorPage({ pageContext: { database, contextFor, runner }, queues, host, token, readToken, ended, log })
  return new Hono().route('/', page)
}

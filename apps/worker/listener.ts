// The worker's operator listener: what other machines ask (`/healthz`, `/readyz`, `/metrics`), open to all who reach it,
// and the operator's page.
import { Hono } from 'hono'
import { type Database, databaseProbe, migrate } from '#shared/journal/database.ts'
import { inWords } from '#shared/process/errors.ts'
import { health } from '#shared/process/health.ts'
import type { Lifecycle } from '#shared/process/lifecycle.ts'
import { listen } from '#shared/process/listener.ts'
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'
import type { Secret } from '#shared/process/secret.ts'
import { impatientRedis, redisProbe } from '#shared/queue/queues.ts'
import { watchToken } from '#sinks/gitlab/token/look.ts'
import { placeOver, recorder } from '../ops/context.ts'
import { endedSessions } from '../ops/page/door/ended.ts'
import { checkHost } from '../ops/page/door/origin.ts'
import { operatorPage } from '../ops/page/page.ts'
import { openRunner } from '../ops/page/replays/runner.ts'
import type { Config } from './config.ts'
import { watchQueues } from './queue-metrics.ts'

type Parts = {
  at: { host: string; port: number; token: Secret | undefined }
  config: Config
  database: Database
  metrics: Registry
  lifecycle: Lifecycle
  log: Log
}

const patience = 1200

/** Starts to listen, with a connection to Redis of its own, which answers or fails at once. */
export async function startListener({ at, config, database, metrics, lifecycle, log }: Parts): Promise<void> {
  const redis = impatientRedis(config.redisUrl, patience)
  lifecycle.push('probe', () => redis.disconnect())
  const base = placeOver({ config, redis, database, who: 'nobody' })
  const place = (who: string) => ({ ...base, who, record: recorder(database, who) })
  watchQueues({ queues: base.queues, redis, prefix: config.redisPrefix, metrics })
  watchToken({ redis, prefix: config.redisPrefix, metrics })

  const runner = openRunner(log)
  lifecycle.push('replays', () => runner.stop())
  const app = new Hono()
  // Without a token it is for this machine, also where nothing is shown but numbers.
  if (at.token === undefined) for (const path of ['/readyz', '/metrics']) app.use(path, checkHost(at.host))
  app.route('/', health({ probes: { redis: redisProbe(redis), database: databaseProbe(database) }, enough: 'all', metrics }))
  const ended = endedSessions({ redis, prefix: config.redisPrefix, log })
  app.route('/', operatorPage({ desk: { database, place, runner }, queues: base.queues, host: at.host, token: at.token, ended, log }))

  // What the pages read should be there before anything has happened. The recorder makes sure of it.
  void migrate(database).catch((error: unknown) => log.debug({ reason: inWords(error) }, 'no tables yet'))
  const listener = await listen({ fetch: app.fetch, host: at.host, port: at.port })
  lifecycle.push('operator listener', () => listener.stop(1000))
  log.info({ host: at.host, port: listener.port }, 'listening')
}

// The worker's listener: what other machines ask (`/healthz`, `/readyz`, `/metrics`), open to all who reach it, and the
// page that it is given.
import { Hono, type MiddlewareHandler } from 'hono'
import { type Database, migrate } from '#shared/journal/database.ts'
import { databaseProbe } from '#shared/journal/marks.ts'
import { inWords } from '#shared/process/errors.ts'
import { health, watched } from '#shared/process/health.ts'
import type { Lifecycle } from '#shared/process/lifecycle.ts'
import { listen } from '#shared/process/listener.ts'
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'
import { impatientRedis } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { redisProbe } from '#shared/queue/redis-trouble.ts'
import { watchToken } from '#sinks/gitlab/token/look.ts'
import { openQueues, type Queues } from '#sinks/queues.ts'
import { watchJournal } from './journal-metrics.ts'
import { watchQueues } from './queue-metrics.ts'

type Parts = {
  host: string
  port: number
  /** Stands before `/readyz` and `/metrics`; undefined where they are for everybody who reaches them. */
  guard: MiddlewareHandler | undefined
  /** Makes the page, over connections that answer or fail at once. It is a third of the code, so it is loaded when it is asked for. */
  page: (over: { redis: Redis; queues: Queues }) => Promise<Hono>
  redisUrl: string
  prefix: string
  database: Database
  metrics: Registry
  lifecycle: Lifecycle
  log: Log
}

const answerMs = 1200

/** Starts to listen, with a connection to Redis of its own, which answers or fails at once. */
export async function startListener({
  host,
  port,
  guard,
  page,
  redisUrl,
  prefix,
  database,
  metrics,
  lifecycle,
  log,
}: Parts): Promise<void> {
  const redis = impatientRedis(redisUrl, answerMs)
  lifecycle.push('probe', () => redis.disconnect())
  const queues = openQueues({ redis, prefix })
  watchQueues({ queues, redis, prefix, metrics })
  watchJournal(database, metrics)
  watchToken({ redis, prefix, metrics })

  const app = new Hono()
  if (guard) for (const path of ['/readyz', '/metrics']) app.use(path, guard)
  const probes = {
    redis: watched('redis', redisProbe({ redis, prefix, url: redisUrl }), metrics),
    database: watched('database', databaseProbe(database), metrics),
  }
  app.route('/', health({ probes, enough: 'all', metrics }))
  let opened: Promise<Hono> | undefined
  app.all('*', async (c) => {
    opened ??= page({ redis, queues })
    return (await opened).fetch(c.req.raw, c.env)
  })
  app.onError((error, c) => {
    log.error({ path: c.req.path, reason: inWords(error) }, 'could not answer')
    return c.json({ error: 'Something went wrong here.' }, 500)
  })

  // What the pages read should be there before anything has happened. The recorder makes sure of it.
  void migrate(database).catch((error: unknown) => log.debug({ reason: inWords(error) }, 'no tables yet'))
  const listener = await listen({ fetch: app.fetch, host, port })
  lifecycle.push('operator listener', () => listener.stop(1000))
  log.info({ host, port: listener.port }, 'listening')
}

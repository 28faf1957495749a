// One worker process: routes deliveries, performs effects, writes the journal.
import type { Worker } from 'bullmq'
import { configure } from '#shared/env.ts'
import { health } from '#shared/health.ts'
import { databaseProbe, openDatabase } from '#shared/journal/database.ts'
import { openJournal } from '#shared/journal/entry.ts'
import { startLifecycle } from '#shared/lifecycle.ts'
import { listen } from '#shared/listener.ts'
import { openLog, passwordOf, redactor } from '#shared/log.ts'
import { openMetrics } from '#shared/metrics.ts'
import { impatientRedis, openQueues, patientRedis, redisProbe } from '#shared/queues.ts'
import { watchRedis } from '#shared/redis-check.ts'
import { countRedisErrors } from '#shared/redis-errors.ts'
import { openRelay } from '#shared/relay.ts'
import { configSchema } from './config.ts'
import { dispatcher } from './dispatch.ts'
import { openLanes } from './lanes.ts'
import { openLedger } from './ledger.ts'
import { performerMetrics, startPerformer } from './performer.ts'
import { publishedAt } from './published.ts'
import { watchQueues } from './queue-metrics.ts'
import { startRecorder } from './recorder.ts'
import { retries } from './retries.ts'
import { startRouter } from './router.ts'
import { openSinks, sinkEntries } from './sinks/index.ts'
import { close, type Office } from './work.ts'

const config = configure(configSchema)
const { phabricatorToken, gitlabToken, redisUrl, redisPrefix: prefix } = config
const secrets = [phabricatorToken, gitlabToken, config.ops?.token, passwordOf(redisUrl), passwordOf(config.databaseUrl)]
const log = await openLog('worker', { debug: config.debug, secrets })
const metrics = openMetrics()
const lifecycle = startLifecycle(log)

const redis = patientRedis(redisUrl)
const database = openDatabase(config.databaseUrl)
watchRedis({ redis, allowUnsafe: config.redisUnsafe, log })
countRedisErrors([redis], metrics)
lifecycle.push('redis', () => redis.disconnect())
lifecycle.push('database', () => database.destroy())

const stopping = new AbortController()
const office: Office = { redis, prefix, stopping: stopping.signal, log }
const queues = openQueues({ redis, prefix })
const lanes = openLanes({ redis, prefix })
const ledger = openLedger({ redis, prefix })
const dispatch = dispatcher({ queues, lanes })
const journal = openJournal(queues.journal, retries)
const relay = openRelay({ redis, prefix, keep: config.feedKeep })
const sinks = openSinks({ config, relay, publishedAt: publishedAt(database), redact: redactor(secrets), metrics, log })
const measures = performerMetrics(metrics)

if (config.ops) {
  const probe = impatientRedis(redisUrl, 1200)
  lifecycle.push('probe', () => probe.disconnect())
  watchQueues({ queues: openQueues({ redis: probe, prefix }), redis: probe, prefix, metrics })
  const app = health({ probes: { redis: redisProbe(probe), database: databaseProbe(database) }, enough: 'all', metrics })
  const listener = await listen({ fetch: app.fetch, host: config.ops.host, port: config.ops.port })
  lifecycle.push('operator listener', () => listener.stop(1000))
  log.info({ host: config.ops.host, port: listener.port }, 'listening')
}

const workers: Worker[] = []
lifecycle.push('workers', () => close(workers, stopping))
workers.push(await startRecorder({ office, queue: queues.journal, database }))
for (const [name, sink] of sinkEntries(sinks)) {
  const { concurrency } = config
  workers.push(
    await startPerformer({ office, name, sink, queue: queues[name], lanes, ledger, dispatch, journal, concurrency, metrics: measures }),
  )
}
workers.push(await startRouter({ office, queue: queues.deliveries, sinks, dispatch, journal }))

log.info({ sinks: Object.keys(sinks) }, 'working')

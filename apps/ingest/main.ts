// One ingest process: takes deliveries from GitLab and serves the feed. It starts and answers with Redis down.
import { configure } from '#shared/env.ts'
import { health } from '#shared/health.ts'
import { startLifecycle } from '#shared/lifecycle.ts'
import { listen } from '#shared/listener.ts'
import { openLog, passwordOf } from '#shared/log.ts'
import { openMetrics } from '#shared/metrics.ts'
import { impatientRedis, patientRedis, redisProbe } from '#shared/queues.ts'
import { watchRedis } from '#shared/redis-check.ts'
import { countRedisErrors } from '#shared/redis-errors.ts'
import { openRelay } from '#shared/relay.ts'
import { addJobsTo } from './add-jobs.ts'
import { createApp } from './app.ts'
import { tokenCheck } from './auth.ts'
import { configSchema } from './config.ts'
import { enqueue } from './enqueue.ts'
import { openEventLog, withEventLog } from './event-log.ts'
import { feedRoute } from './feed/route.ts'
import { followTail } from './feed/tail.ts'
import { hooks } from './hooks.ts'
import { signatureCheck } from './signature.ts'
import { acceptThrough } from './spool/accept.ts'
import { spoolProbe, watchSpool } from './spool/probe.ts'
import { openSpool } from './spool/spool.ts'

const config = configure(configSchema)
const log = await openLog('ingest', { debug: config.debug, secrets: [...config.tokens, config.signingKey, passwordOf(config.redisUrl)] })
const metrics = openMetrics()
const lifecycle = startLifecycle(log)

const { redisPrefix: prefix } = config
const redis = impatientRedis(config.redisUrl)
const askRedis = impatientRedis(config.redisUrl, 1200)
const tailRedis = patientRedis(config.redisUrl)
watchRedis({ redis, allowUnsafe: config.redisUnsafe, log })
countRedisErrors([redis, askRedis, tailRedis], metrics)
lifecycle.push('redis', () => [redis, askRedis, tailRedis].map((connection) => connection.disconnect()))

const eventLog = openEventLog(config.logEventsTo, log)
lifecycle.push('event log', eventLog.close)
process.on('SIGHUP', eventLog.reopen)

const handOver = enqueue(addJobsTo({ redis, prefix }))
const spool = await openSpool({ directory: config.spoolDir, handOver, log })
lifecycle.push('spool', () => spool.close())
watchSpool(spool, metrics)

const goodbye = new AbortController()
const tail = followTail({ relay: openRelay({ redis: tailRedis, prefix }), signal: goodbye.signal, log })
const takeDelivery = hooks({
  mayDeliver: tokenCheck(config.tokens),
  isSigned: config.signingKey === undefined ? undefined : signatureCheck(config.signingKey),
  accept: withEventLog(eventLog, acceptThrough({ spool, enqueue: handOver, log })),
  log,
  metrics,
})
const feed = feedRoute({ tail, history: openRelay({ redis: askRedis, prefix }), signal: goodbye.signal, log, metrics })
const probes = { redis: redisProbe(askRedis), spool: spoolProbe(spool) }
const app = createApp({ takeDelivery, feed, health: health({ probes, enough: 'any', metrics }), log })

const listener = await listen({ fetch: app.fetch, host: config.host, port: config.port })
lifecycle.push('listener', () => listener.stop())
lifecycle.push('feed', () => goodbye.abort())
log.info({ host: config.host, port: listener.port }, 'listening')

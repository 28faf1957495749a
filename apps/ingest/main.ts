// One ingest process: takes deliveries from GitLab and serves the feed. It starts and answers with Redis down.
import type { Delivery } from '#shared/event/delivery.ts'
import { privateIsPublished } from '#shared/event/privacy.ts'
import { openDatabase } from '#shared/journal/database.ts'
import { configure } from '#shared/process/env.ts'
import { health, watched } from '#shared/process/health.ts'
import { startLifecycle } from '#shared/process/lifecycle.ts'
import { listen } from '#shared/process/listener.ts'
import { openLog, passwordOf, redactor } from '#shared/process/log.ts'
import { countCrowded, openMetrics } from '#shared/process/metrics.ts'
import { openTraces } from '#shared/process/traces.ts'
import { openHiddenProjects } from '#shared/queue/hidden-projects.ts'
import { announce } from '#shared/queue/presence.ts'
import { impatientRedis, patientRedis } from '#shared/queue/queues.ts'
import { watchRedis } from '#shared/queue/redis-check.ts'
import { countRedisErrors } from '#shared/queue/redis-errors.ts'
import { redisProbe, writeUnder } from '#shared/queue/redis-trouble.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { createApp } from './app.ts'
import { clientAddress } from './client-address.ts'
import { configSchema } from './config.ts'
import { documents } from './documents/routes.ts'
import { followHidden } from './feed/hidden.ts'
import { openHistory } from './feed/history.ts'
import { feedJournal } from './feed/journal.ts'
import { feedMetrics } from './feed/metrics.ts'
import { feedRoute } from './feed/route.ts'
import { openSlices } from './feed/slices.ts'
import { followTail } from './feed/tail.ts'
import { addDeliveriesTo } from './hooks/add-deliveries.ts'
import { admission } from './hooks/admit.ts'
import { tokenCheck } from './hooks/auth.ts'
import { enqueue } from './hooks/enqueue.ts'
import { openEventLog, withEventLog } from './hooks/event-log.ts'
import { judge } from './hooks/judge.ts'
import { rememberRefusals } from './hooks/refusals.ts'
import { onReplicas } from './hooks/replicas.ts'
import { hooks } from './hooks/route.ts'
import { signatureCheck } from './hooks/signature.ts'
import { roomForStrangers } from './hooks/strangers.ts'
import { looker } from './pages/merge-request/look.ts'
import { mergeRequestPages } from './pages/merge-request/route.ts'
import { welcome } from './pages/page.ts'
import { recentEvents } from './pages/recent.ts'
import { addressOf, ingestFacts } from './presence.ts'
import { acceptThrough } from './spool/accept.ts'
import { spoolProbe, watchSpool } from './spool/probe.ts'
import { openSpool } from './spool/spool.ts'

const config = configure(configSchema)
const redact = redactor([...config.secrets.values(), passwordOf(config.redisUrl), passwordOf(config.databaseUrl)])
const log = await openLog('ingest', { debug: config.debug, redact })
const metrics = openMetrics()
const lifecycle = startLifecycle(log)
lifecycle.push('traces', await openTraces({ app: 'ingest', endpoint: config.tracesTo, log }))

if (config.feedPrivate) log.warn(privateIsPublished)

const { redisPrefix: prefix } = config
const redis = impatientRedis(config.redisUrl)
const askRedis = impatientRedis(config.redisUrl, 1200)
const tailRedis = patientRedis(config.redisUrl)
const hiddenRedis = patientRedis(config.redisUrl)
watchRedis({ redis, allowUnsafe: config.redisUnsafe, log })
countRedisErrors([redis, askRedis, tailRedis, hiddenRedis], metrics)
lifecycle.push('redis', () => [redis, askRedis, tailRedis, hiddenRedis].map((connection) => connection.disconnect()))

const database = config.databaseUrl === undefined ? undefined : openDatabase(config.databaseUrl, { metrics })
lifecycle.push('database', () => database?.destroy())

const eventLog = openEventLog(config.logEventsTo, log)
lifecycle.push('event log', eventLog.close)
process.on('SIGHUP', eventLog.reopen)

const addDeliveries = onReplicas({ redis, prefix }, config.redisReplicas, addDeliveriesTo({ redis, prefix }))
const handOver = (delivery: Delivery) => addDeliveries([delivery])
const spool = await openSpool({ directory: config.spoolDir, handOver, log })
lifecycle.push('spool', () => spool.close())
watchSpool(spool, config.spoolDir, metrics)

const goodbye = new AbortController()
void config.secrets.watch({ redact, log, signal: goodbye.signal })
const tail = await followTail({ relay: openRelay({ redis: tailRedis, prefix }), signal: goodbye.signal, log })
const measures = feedMetrics(metrics)
const history = openHistory({
  relay: openRelay({ redis: askRedis, prefix }),
  journal: database && feedJournal({ database, gitlabUrl: config.gitlabUrl, feedPrivate: config.feedPrivate }),
  onRead: () => measures.historyReads.inc(),
})
const projects = openHiddenProjects({ redis: hiddenRedis, prefix })
const hidden = followHidden({ projects, signal: goodbye.signal, log })
const hiddenOnFeed = config.feedPrivate ? undefined : hidden
const judgementOf = judge({
  mayDeliver: tokenCheck(config.tokens),
  beginCheck: config.signingKey === undefined ? undefined : signatureCheck(config.signingKey),
  signatureRequired: config.signatureRequired,
})
const refusals = rememberRefusals({ redis: askRedis, prefix })
lifecycle.push('refusals', () => refusals.close())
const takeDelivery = hooks({
  admit: admission({ judgementOf, roomFor: roomForStrangers(config.connections.strangers) }),
  accept: withEventLog(eventLog, acceptThrough({ spool, enqueue: enqueue(addDeliveries), log })),
  onLost: refusals.add,
  log,
  metrics,
})
const clientOf = clientAddress(config.trustedProxies)
const inSlice = openSlices()
const feed = feedRoute({
  tail,
  history,
  limits: config.feedLimits,
  addressOf: clientOf,
  signal: goodbye.signal,
  log,
  metrics,
  measures,
  hidden: hiddenOnFeed,
  inSlice,
})
const write = onReplicas({ redis: askRedis, prefix }, config.redisReplicas, () => writeUnder(askRedis, prefix))
const askedRedis = redisProbe({ redis: askRedis, prefix, url: config.redisUrl, write: () => write([]) })
const probes = { redis: watched('redis', askedRedis, metrics), spool: spoolProbe(spool) }
const mergeRequests = mergeRequestPages({
  look: database && looker({ database, redis: askRedis, prefix, hidden }),
  hidden,
  publicUrl: config.publicUrl,
  signal: goodbye.signal,
  log,
})
const recent = recentEvents({ tail, hidden: hiddenOnFeed })
const pages = [welcome({ publicUrl: config.publicUrl, recent, inSlice }), mergeRequests, documents(config.publicUrl)]
const app = createApp({ takeDelivery, feed, pages, health: health({ probes, enough: 'any', metrics }), log })

const { host, port, connections } = config
const onCrowded = countCrowded(metrics)
const listener = await listen({ fetch: app.fetch, host, port, connections: connections.all, invites: true, onCrowded })
lifecycle.push('listener', () => listener.stop())
lifecycle.push('feed', () => goodbye.abort())
const address = addressOf(host, listener.port)
lifecycle.push(
  'presence',
  announce({ redis: askRedis, prefix, app: 'ingest', address, more: ingestFacts(spool, config.spoolDir, metrics) }),
)
log.info({ host, port: listener.port, connections: connections.all, ofTheFeed: connections.feed }, 'listening')

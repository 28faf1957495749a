// One worker process: routes deliveries, performs effects, writes the journal.
import type { Worker } from 'bullmq'
import { openDatabase } from '#shared/journal/database.ts'
import { openJournal } from '#shared/journal/entry.ts'
import { newestInJournal, publishedAt } from '#shared/journal/feed.ts'
import { configure } from '#shared/process/env.ts'
import { startLifecycle } from '#shared/process/lifecycle.ts'
import { openLog, passwordOf, redactor } from '#shared/process/log.ts'
import { openMetrics } from '#shared/process/metrics.ts'
import { openTraces } from '#shared/process/traces.ts'
import { dispatcher } from '#shared/queue/dispatch.ts'
import { openFinish } from '#shared/queue/finish.ts'
import { openImpatience } from '#shared/queue/impatience.ts'
import { openLanes } from '#shared/queue/lanes.ts'
import { openLedger } from '#shared/queue/ledger.ts'
import { announce } from '#shared/queue/presence.ts'
import { patientRedis } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { watchRedis } from '#shared/queue/redis-check.ts'
import { countRedisErrors } from '#shared/queue/redis-errors.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { openToldEvents } from '#shared/queue/told-events.ts'
import { openGitLabApi } from '#sinks/gitlab/api.ts'
import { lookAtStart } from '#sinks/gitlab/token/look.ts'
import { lastUses } from '#sinks/http/last-use.ts'
import { openSinks, sinkEntries } from '#sinks/open.ts'
import { openQueues, type Queues } from '#sinks/queues.ts'
import { oneByOne } from '#sinks/registry.ts'
import { sinkSecrets } from '#sinks/settings.ts'
import { watchUnexpected, withUnexpected } from '#sinks/unexpected.ts'
import { numbersGuard } from '../ops/page/door/origin.ts'
import { watchAcquaintance } from './chores/acquaintance.ts'
import { chores } from './chores/index.ts'
import { keepSetUp, setUpQueues } from './chores/set-up.ts'
import { scheduleChores, startChores } from './chores/start.ts'
import { configSchema } from './config.ts'
import { startListener } from './listener.ts'
import { close } from './performer/close.ts'
import type { WorkerContext } from './performer/consumer.ts'
import { countEnded, performerMetrics } from './performer/metrics.ts'
import { startPerformer } from './performer/performer.ts'
import { watchLives } from './performer/redis-lives.ts'
import { openTrials } from './performer/trials.ts'
import { startDrain } from './recorder/drain.ts'
import { startRecorder } from './recorder/recorder.ts'
import { startRouter } from './router/router.ts'
import { watchSilence } from './silence.ts'
import { tryAtOnce } from './taken-over.ts'

const config = configure(configSchema, sinkSecrets)
const { redisUrl, redisPrefix: prefix } = config
const redact = redactor([...config.secrets.values(), passwordOf(redisUrl), passwordOf(config.databaseUrl)])
const log = await openLog('worker', { debug: config.debug, redact })
const metrics = openMetrics()
const lifecycle = startLifecycle(log)
lifecycle.push('traces', await openTraces({ app: 'worker', endpoint: config.tracesTo, log }))

const redis = patientRedis(redisUrl)
const database = openDatabase(config.databaseUrl, { metrics })
watchRedis({ redis, allowUnsafe: config.redisUnsafe, log })
countRedisErrors([redis], metrics)
lifecycle.push('redis', () => redis.disconnect())
lifecycle.push('database', () => database.destroy())

const stopping = new AbortController()
const mayForget = watchLives({ redis, prefix })
const queues = openQueues({ redis, prefix })
const trials = openTrials({ redis, prefix })
const onEnded = countEnded(metrics, Object.keys(queues))
const context: WorkerContext = { redis, prefix, stopping: stopping.signal, mayForget, trials, onEnded, log }
const lanes = openLanes({ redis, prefix })
const ledger = openLedger({ redis, prefix })
const dispatch = dispatcher({ redis, prefix, oneByOne })
const impatience = openImpatience({ redis, prefix, queues })
const finish = openFinish({ redis, prefix })
const drain = startDrain({ redis, prefix }, log)
lifecycle.push('drain', drain.stop)
const journal = openJournal({ redis, prefix }, drain.soon)
const relay = openRelay({ redis, prefix, keep: config.feedKeep, known: () => newestInJournal(database) })
const unexpected = watchUnexpected({ log, metrics })
const opened = openSinks({
  enabled: config.sinksEnabled,
  settings: config.settings,
  relay,
  publishedAt: publishedAt(database),
  redact,
  metrics,
  log,
})
const sinks = withUnexpected(opened, unexpected)
const measures = performerMetrics(metrics)
const { gitlabUrl: url, gitlabToken } = config
const token = gitlabToken && { api: openGitLabApi({ url, token: gitlabToken, redact }), redis, prefix, log }
const onTaken = tryAtOnce({ redis, prefix, queues: sinkEntries(sinks).map(([name]) => queues[name]), token, log, signal: stopping.signal })
void config.secrets.watch({ redact, log, signal: stopping.signal, onTaken })

if (config.ops) {
  const { ops: at } = config
  const page = async (over: { redis: Redis; queues: Queues }) => {
    const { openPage } = await import('../ops/page/open.ts')
    return openPage({ config, at, ...over, database, lifecycle, log })
  }
  const { host, port } = at
  await startListener({ host, port, guard: numbersGuard(at), page, redisUrl, prefix, database, metrics, lifecycle, log })
}

const ownChores = chores({ database, keepDays: config.journalKeepDays, token })
const setUp = async () => {
  await setUpQueues({ redis, prefix })
  await scheduleChores(queues.chores, ownChores)
}
lifecycle.push('set-up', await keepSetUp({ redis, prefix, log, setUp }))
const workers: Array<Pick<Worker, 'close'>> = []
lifecycle.push('workers', () => close(workers, stopping))
workers.push(await startRecorder({ context, queue: queues.journal, database }))
for (const [name, sink] of sinkEntries(sinks)) {
  const { concurrency, limits } = config
  workers.push(
    await startPerformer({
      context,
      name,
      sink,
      queue: queues[name],
      lanes,
      ledger,
      dispatch,
      impatience,
      finish,
      journal,
      concurrency,
      limits,
      dryRun: config.dryRun,
      metrics: measures,
    }),
  )
}
workers.push(await startChores({ context, queue: queues.chores, chores: ownChores }))
const toldBefore = openToldEvents({ redis, prefix })
const { feedKeep } = config
const router = { context, queue: queues.deliveries, sinks, journal, toldBefore, impatience, onPut: drain.soon, feedKeep, metrics: measures }
workers.push(startRouter(router))

void watchAcquaintance({ redis, prefix, database, log, signal: stopping.signal })
void watchSilence({ database, metrics, log, signal: stopping.signal })
if (token) void lookAtStart(token, stopping.signal)

const facts = () => Promise.resolve({ sinks: Object.keys(sinks), remotes: lastUses(), unexpected: unexpected.noted() })
lifecycle.push('presence', announce({ redis, prefix, app: 'worker', more: facts }))
log.info({ sinks: Object.keys(sinks) }, 'working')

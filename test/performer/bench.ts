// The worker's core on a real Redis, with a sink that does what a test tells it to: several workers in one process, each
// with connections of its own, as if they were processes.
import { randomBytes } from 'node:crypto'
import type { JobsOptions, Worker } from 'bullmq'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { type Effect, effectId, type Outcome } from '#shared/event/effect.ts'
import type { Journal } from '#shared/journal/entry.ts'
import type { Json } from '#shared/process/json.ts'
import { type Dispatch, dispatcher } from '#shared/queue/dispatch.ts'
import { openFinish } from '#shared/queue/finish.ts'
import { openImpatience } from '#shared/queue/impatience.ts'
import { type Lanes, openLanes } from '#shared/queue/lanes.ts'
import { openLedger } from '#shared/queue/ledger.ts'
import { patientRedis } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import type { Context } from '#sinks/context.ts'
import { openQueues, type Queues } from '#sinks/queues.ts'
import { oneByOne, type SinkName } from '#sinks/registry.ts'
import type { Sink } from '#sinks/sink.ts'
import { close } from '../../apps/worker/performer/close.ts'
import { performerMetrics } from '../../apps/worker/performer/metrics.ts'
import { startPerformer } from '../../apps/worker/performer/performer.ts'
import { openTrials } from '../../apps/worker/performer/trials.ts'
import { startRedis } from '../support/servers.ts'
import { until } from '../support/until.ts'

export type Perform = (about: string, context: Context) => Promise<Outcome>

export type Bench = {
  redis: Redis
  prefix: string
  queues: Queues
  lanes: Lanes
  dispatch: Dispatch
  /** What the journal was told of effects that ended: `about: state`. */
  ended: string[]
  /** Starts a worker for the sink; `stop` is what its process does at SIGTERM. */
  start: (name: SinkName, perform: Perform, concurrency?: number, declared?: Partial<Sink>) => Promise<{ stop: () => Promise<void> }>
  isEmpty: (name: SinkName) => Promise<boolean>
  close: () => Promise<void>
}

/** An effect of this moment; `order` is its lane. */
export function effect(about: string, order: string, sink: SinkName = 'phabricator'): Effect & { sink: SinkName } {
  return { id: effectId('d', sink, about), delivery: 'd', sink, order, since: new Date().toISOString(), data: about }
}

/** Enters the effect into its lane, and adds a job for it unless it is a `ghost`, as the release before did. */
export async function addAsBefore(
  { redis, prefix, queues }: Bench,
  one: ReturnType<typeof effect>,
  opts: JobsOptions | 'ghost',
): Promise<void> {
  const place = await redis.incr(`{${prefix}}:planned`)
  await redis.zadd(`{${prefix}}:lane:${one.sink}:${one.order}`, place, one.id)
  if (opts !== 'ghost') await queues[one.sink].add('effect', one, { ...opts, jobId: one.id })
}

function aboutOf(data: Json): string {
  return typeof data === 'string' ? data : ''
}

export const done: Outcome = { state: 'done' }

/** A bench of its own on the Redis at `redisUrl`. */
export function openBench(redisUrl: string): Bench {
  const prefix = `bench-${randomBytes(4).toString('hex')}`
  const redis = patientRedis(redisUrl)
  const queues = openQueues({ redis, prefix })
  const lanes = openLanes({ redis, prefix })
  const ended: string[] = []
  const journal: Journal = {
    routed: () => Promise.resolve(''),
    unrouted: () => Promise.resolve([]),
    planned: () => Promise.resolve(),
    failed: () => Promise.resolve(),
    ended({ data }, { state }, _attempts, put) {
      ended.push(`${aboutOf(data)}: ${state}`)
      return put('{}')
    },
  }
  const dispatch = dispatcher({ redis, prefix, oneByOne })
  const stops: Array<() => Promise<void>> = []

  return {
    redis,
    prefix,
    queues,
    lanes,
    dispatch,
    ended,
    async start(name, perform, concurrency = 10, declared = {}) {
      const own = patientRedis(redisUrl)
      const place = { redis: own, prefix }
      const stopping = new AbortController()
      const sink: Sink = {
        repeat: 'look',
        order: oneByOne.has(name) ? 'one-by-one' : 'lane',
        changesOthers: true,
        shortfalls: [],
        ofDeliveries: false,
        alone: () => undefined,
        plan: () => ({ nothing: 'not asked' }),
        replan: () => ({ nothing: 'not asked' }),
        wouldDo: () => undefined,
        perform: (data, context) => perform(aboutOf(data), context),
        ...declared,
      }
      const workers: Worker[] = [
        await startPerformer({
          context: {
            ...place,
            stopping: stopping.signal,
            mayForget: () => Promise.resolve(false),
            trials: openTrials(place),
            log: pino({ level: 'silent' }),
          },
          name,
          sink,
          queue: openQueues(place)[name],
          lanes: openLanes(place),
          ledger: openLedger(place),
          dispatch,
          impatience: openImpatience({ ...place, queues }),
          finish: openFinish(place),
          journal,
          concurrency,
          dryRun: false,
          limits: { callMs: 1000, settleMs: 1000 },
          metrics: performerMetrics(new Registry()),
        }),
      ]
      let stopped: Promise<void> | undefined
      const stop = () => (stopped ??= close(workers, stopping).then(() => own.disconnect()))
      stops.push(stop)
      return { stop }
    },
    async isEmpty(name) {
      return (await queues[name].getJobCountByTypes('waiting', 'waiting-children', 'active', 'delayed')) === 0
    },
    async close() {
      await Promise.all(stops.map((stop) => stop()))
      redis.disconnect()
    },
  }
}

/** A bench for one test, on a Redis that all tests of a file share. */
export async function openBenches(): Promise<{ url: string; open: () => Bench; close: () => Promise<void> }> {
  const server = await startRedis()
  const benches: Bench[] = []
  return {
    url: server.url,
    open() {
      const bench = openBench(server.url)
      benches.push(bench)
      return bench
    },
    async close() {
      await Promise.all(benches.map((bench) => bench.close()))
      await server.stop()
    },
  }
}

export function empty(bench: Bench, name: SinkName = 'phabricator'): Promise<unknown> {
  return until(() => bench.isEmpty(name), `nothing waits for ${name}`)
}

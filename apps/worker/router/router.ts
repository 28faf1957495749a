// The router decides what should happen: it reads deliveries, asks every sink for its plan, and hands the effects to the
// performers. One process routes at a time, over all workers, what waits: a batch of it, in the order in which Redis took it. A batch
// is settled in one step, so one that fails is done again as it was.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Journal } from '#shared/journal/entry.ts'
import { inWords, Permanent, Unavailable } from '#shared/process/errors.ts'
import { openBatches, type Routed, type Waiting } from '#shared/queue/batch.ts'
import type { Impatience } from '#shared/queue/impatience.ts'
import { besides } from '#shared/queue/redis.ts'
import { refusalOf } from '#shared/queue/redis-refusal.ts'
import type { ToldBefore } from '#shared/queue/told-events.ts'
import type { Sinks } from '#sinks/open.ts'
import { oneByOne } from '#sinks/registry.ts'
import type { WorkerContext } from '../performer/consumer.ts'
import { openHolds } from '../performer/holds.ts'
import type { PerformerMetrics } from '../performer/metrics.ts'
import { deadLetter, planner } from './plan.ts'

type Parts = {
  context: WorkerContext
  queue: Queue
  sinks: Sinks
  journal: Journal
  toldBefore: ToldBefore
  impatience: Impatience
  onPut: () => void
  feedKeep: number
  metrics: PerformerMetrics
}

const most = 50
// Another worker takes over when this one has not been heard of for 1.5 s.
const lookMs = 500
const staySeconds = 0.5
const againMs = 1000

/** Starts the router; `close` ends it when the batch under way is settled. */
export function startRouter(parts: Parts): { close: () => Promise<void> } {
  const { context, queue, sinks, journal, toldBefore, impatience, onPut, feedKeep, metrics } = parts
  const { redis, prefix, stopping, mayForget, trials, log } = context
  const batches = openBatches({ redis, prefix, token: randomUUID(), oneByOne, feedKeep })
  const holds = openHolds({ redis, prefix, queue, concurrency: 1, log })
  const plan = planner({ redis, prefix, sinks, journal, toldBefore, mayForget, log })
  const waits = besides(redis)
  const closing = new AbortController()
  // How many deliveries are settled together: one, for as many as were in a batch that Redis would not settle.
  let singly = 0

  async function route(batch: Waiting[], first: Waiting): Promise<void> {
    const suspect = { queueName: queue.name, id: first.job, stalledCounter: first.deaths }
    try {
      await trials.run(suspect, stopping, async () => await settle(await Promise.all(batch.map(plan))))
    } catch (error) {
      // It is what kills workers. Only one that was under way at a death is taken alone.
      if (!(error instanceof Permanent)) throw error
      log.error({ queue: queue.name, job: first.job, reason: inWords(error) }, 'died')
      await settle([await deadLetter(journal, first, error)])
    }
  }

  async function settle(routed: Routed[]): Promise<void> {
    const published = await batches.settle(routed)
    if (published === undefined) {
      log.info({ deliveries: routed.length }, 'routed by another worker, or lost with Redis')
      return
    }
    onPut()
    const [message] = routed.flatMap(({ messages = [] }) => messages)
    if (message) metrics.effects.inc({ sink: message.effect.sink, outcome: 'done' }, published)
    for (const _ of routed) context.onEnded?.(queue.name)
    for (let count = 0; message && count < published; count += 1) context.onEnded?.(message.effect.sink)
    singly = Math.max(0, singly - routed.length)
    await holds.release()
    await impatience.hurry(routed.flatMap(({ mergeRequest }) => mergeRequest ?? []))
  }

  async function onFailure(error: unknown, batch: Waiting[]): Promise<void> {
    log.warn({ queue: queue.name, deliveries: batch.length, reason: inWords(error) }, 'could not route')
    if (refusalOf(error) !== undefined) await holds.hold(new Unavailable(`Redis says: ${inWords(error)}`)).catch(() => undefined)
    else if (error instanceof Error && error.name === 'ReplyError' && !(await isLaidOut(error, batch))) singly = batch.length
    await pause(againMs, undefined, { signal: closing.signal }).catch(() => undefined)
  }

  // Alone, and still Redis will not settle it: it never will.
  async function isLaidOut(error: Error, batch: Waiting[]): Promise<boolean> {
    const [only, ...others] = batch
    if (!only || others.length > 0) return false
    return (await batches.settle([await deadLetter(journal, only, error)]).catch(() => undefined)) !== undefined
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      let batch: Waiting[] = []
      const staying = setInterval(() => void batches.stay().catch(() => undefined), lookMs)
      try {
        const taken = await batches.take(singly > 0 ? 1 : most)
        batch = taken.batch
        const [first] = batch
        if (first) await route(batch, first)
        else if (taken.othersMs > 0)
          await pause(Math.min(lookMs, taken.othersMs + 1), undefined, { signal: closing.signal }).catch(() => undefined)
        else await waits.bzpopmin(queue.toKey('marker'), staySeconds).catch(() => undefined)
      } catch (error) {
        if (!stopping.aborted) await onFailure(error, batch)
      } finally {
        clearInterval(staying)
      }
    }
  }

  const running = run()
  return {
    async close() {
      closing.abort()
      const over = new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve()))
      waits.disconnect()
      await Promise.race([running, over])
      if (redis.status === 'ready') await batches.leave().catch(() => undefined)
    },
  }
}

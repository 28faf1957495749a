// A performer makes the effects of one sink happen, in the order of their lanes. It looks for an effect first whenever this may
// not be the first time. What becomes of a failed attempt is decided in `consumer.ts`.
import type { Job, Queue, Worker } from 'bullmq'
import { deliveryOfEffect, type Effect, effectSchema, effectsOf, type Outcome, shortList } from '#shared/event/effect.ts'
import type { Journal } from '#shared/journal/entry.ts'
import { inWords } from '#shared/process/errors.ts'
import { type Dispatch, type Lock, lockOf } from '#shared/queue/dispatch.ts'
import type { Impatience } from '#shared/queue/impatience.ts'
import type { Lanes } from '#shared/queue/lanes.ts'
import type { Ledger } from '#shared/queue/ledger.ts'
import { retention } from '#shared/queue/queues.ts'
import { type History, repeatOf } from '#sinks/history.ts'
import type { Sink } from '#sinks/sink.ts'
import { markFromNow, whyBegun } from './begun.ts'
import { besideWaitMs } from './beside.ts'
import { effectOf, whatIs } from './carried.ts'
import { type Attempt, Deferred, LockLost, type WorkerContext, work } from './consumer.ts'
import { type CallLimits, type Crossing, openFence } from './fence.ts'
import { countOutcome, type PerformerMetrics } from './metrics.ts'
import { type Prepared, performing } from './perform.ts'

type Parts = {
  context: WorkerContext
  name: string
  sink: Sink
  queue: Queue
  lanes: Lanes
  ledger: Ledger
  dispatch: Dispatch
  impatience: Impatience
  journal: Journal
  concurrency: number
  limits: CallLimits
  /** Nothing is changed anywhere: what would be is told. */
  dryRun: boolean
  metrics: PerformerMetrics
}

const laneWaitMs = 500

/** Starts the performer of the sink `name`. */
export async function startPerformer(parts: Parts): Promise<Worker> {
  const { context, name, sink, queue, lanes, ledger, dispatch, impatience, journal, concurrency, limits, dryRun, metrics } = parts
  const { redis, prefix, mayForget, log } = context
  const perform = performing({ name, sink, ledger, dryRun })
  // Jobs that ended without asking the remote anything: that it is there again cannot be told from them.
  const unasked = new WeakSet<Job>()
  const isSerial = sink.order === 'one-by-one'

  // All that may put the job off comes first: what is tried alone, since it may have killed a worker, must really be run.
  async function prepare(job: Job, token: string): Promise<Attempt> {
    const effect = effectOf(job)
    const crossing = await openFence({ redis, prefix, queue, sink, limits, job, token, effect })
    try {
      const late = await waitForTurn(effect)
      const isFirst = crossing.isFirst && !(await mayForget(job.timestamp))
      const history: History = isFirst ? 'new' : repeatOf(effect)
      const made = history === 'maybe-done' ? await ledger.madeFor(effect) : undefined
      const begun = sink.repeat === 'at-most-once' ? await whyBegun({ redis, prefix, mayForget, job, effect }) : undefined
      if (begun !== undefined) unasked.add(job)
      else if (made === undefined) mustBeOver(effect, crossing)
      const attempt = { effect, attempts: job.attemptsMade + 1, lock: lockOf(queue, job, token), crossing, history, made, begun, late }
      return (signal) => run(attempt, signal)
    } catch (error) {
      await crossing.failed()
      throw error
    }
  }

  function mustBeOver(effect: Effect, { busyMs, besideMs }: Crossing): void {
    if (busyMs + besideMs === 0) return
    if (busyMs === 0) throw new Deferred(Math.min(besideMs, besideWaitMs))
    log.info({ effect: effect.id, ms: busyMs }, 'waiting for an earlier call to be over')
    throw new Deferred(busyMs)
  }

  async function run(prepared: Prepared, signal: AbortSignal): Promise<void> {
    const started = Date.now()
    const { effect, attempts, lock, crossing, late } = prepared
    const ended = await perform(prepared, signal).catch(async (error: unknown) => {
      await crossing.failed()
      throw error
    })
    metrics.duration.observe({ sink: name }, (Date.now() - started) / 1000)
    const outcome = withReason(Array.isArray(ended) ? await further(effect, ended, lock) : ended, late)
    if (outcome.state === 'done' && outcome.made !== undefined && !isSerial) await ledger.write(effect, outcome.made)
    await crossing.succeeded()
    await end(effect, outcome, attempts)
    log.info({ effect: effect.id, ms: Date.now() - started, ...outcome }, 'performed')
  }

  async function further(effect: Effect, planned: Parameters<typeof effectsOf>[0], lock: Lock): Promise<Outcome> {
    const effects = effectsOf(planned, effect)
    if (!(await dispatch(effects, { cause: effect, lock }))) throw new LockLost(`${effect.id} is not ours any more.`)
    await journal.planned(effects)
    return { state: 'done', reason: `brought ${shortList(planned.map(({ about }) => about))}` }
  }

  // Answers in words what the effect would still have to wait for, if it goes ahead since it has waited long enough.
  async function waitForTurn(effect: Effect): Promise<string | undefined> {
    if (isSerial) return undefined
    const turn = await lanes.turn(effect)
    if (turn.state === 'waits') throw new Deferred(laneWaitMs)
    return turn.question === undefined
      ? undefined
      : `went ahead after a minute, before it was known ${sink.waitsFor?.known} (${deliveryOfEffect(turn.question)})`
  }

  async function end(effect: Effect, outcome: Outcome | { state: 'dead'; reason: string }, attempts: number): Promise<void> {
    countOutcome(metrics, name, sink, outcome)
    await journal.ended(effect, outcome, attempts)
    if (isSerial) return
    const next = await lanes.leave(effect)
    const waiting = next === undefined ? undefined : await queue.getJob(next)
    // Fails when that job is not put off but under way. Then it asks for its turn by itself.
    await waiting?.promote().catch(() => undefined)
  }

  for (const { name: shortfall } of sink.shortfalls) metrics.shortfalls.inc({ sink: name, shortfall }, 0)
  if (sink.repeat === 'at-most-once') await markFromNow({ redis, prefix })
  return await work({
    context,
    queue,
    keep: retention[sink.order],
    concurrency,
    serial: isSerial,
    prepare,
    tellsNothing: (job) => unasked.has(job),
    async onFailed(job, error, ms) {
      const { data: effect } = effectSchema.safeParse(job.data)
      if (!effect) return
      await Promise.all([journal.failed(effect, job.attemptsMade + 1, ms, inWords(error)), impatience.waits(effect)])
    },
    async onDead(job, error) {
      await end(whatIs(job, name), { state: 'dead', reason: inWords(error) }, job.attemptsMade + 1)
    },
  })
}

function withReason(outcome: Outcome, reason: string | undefined): Outcome {
  if (reason === undefined) return outcome
  return { ...outcome, reason: outcome.reason === undefined ? reason : `${outcome.reason}; ${reason}` }
}

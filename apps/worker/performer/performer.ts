// A performer makes the effects of one sink happen, in the order of their lanes. It looks for an effect first whenever this may
// not be the first time. What becomes of a failed attempt is decided in `consequence.ts`.
import type { Job, Queue, Worker } from 'bullmq'
import { deliveryOfEffect, type Effect, effectSchema, effectsOf, type Outcome, shortList } from '#shared/event/effect.ts'
import type { Ended, Journal } from '#shared/journal/entry.ts'
import { inWords, Permanent } from '#shared/process/errors.ts'
import type { Dispatch } from '#shared/queue/dispatch.ts'
import { endedWell, type Finish } from '#shared/queue/finish.ts'
import type { Impatience } from '#shared/queue/impatience.ts'
import { inLane } from '#shared/queue/lane-script.ts'
import { watchLanes } from '#shared/queue/lane-watch.ts'
import type { Lanes } from '#shared/queue/lanes.ts'
import type { Ledger } from '#shared/queue/ledger.ts'
import { type Lock, lockOf } from '#shared/queue/lock.ts'
import { retention } from '#shared/queue/queues.ts'
import { type History, repeatOf } from '#sinks/history.ts'
import type { Sink } from '#sinks/sink.ts'
import { markFromNow, whyBegun } from './begun.ts'
import { besideWaitMs } from './beside.ts'
import { effectOf, whatIs } from './carried.ts'
import { type Attempt, type WorkerContext, work } from './consumer.ts'
import { type CallLimits, type Crossing, openFence } from './fence.ts'
import { countOutcome, type PerformerMetrics } from './metrics.ts'
import { Deferred, LockLost, PutOff } from './no-attempt.ts'
import { type Prepared, performing, withReason } from './perform.ts'

type Parts = {
  context: WorkerContext
  name: string
  sink: Sink
  queue: Queue
  lanes: Lanes
  ledger: Ledger
  dispatch: Dispatch
  impatience: Impatience
  finish: Finish
  journal: Journal
  concurrency: number
  limits: CallLimits
  /** Nothing is changed anywhere: what would be is told. */
  dryRun: boolean
  metrics: PerformerMetrics
}

/** Starts the performer of the sink `name`. */
export async function startPerformer(parts: Parts): Promise<Worker> {
  const { context, name, sink, queue, lanes, ledger, dispatch, finish, impatience, journal, concurrency, limits, dryRun, metrics } = parts
  const { redis, prefix, stopping, mayForget, log } = context
  const perform = performing({ name, sink, ledger, dryRun })
  // Jobs that ended without asking the remote anything: that it is there again cannot be told from them.
  const unasked = new WeakSet<Job>()
  const isSerial = sink.order === 'one-by-one'

  // All that may put the job off comes first: what is tried alone, since it may have killed a worker, must really be run.
  async function prepare(job: Job, token: string): Promise<Attempt> {
    const effect = effectOf(job)
    const crossing = await openFence({ redis, prefix, queue, sink, limits, job, token, effect })
    if (crossing.ended !== undefined) return hasEnded(crossing.ended)
    const lock = lockOf(queue, job, token)
    try {
      const late = job.name === inLane ? undefined : await waitForTurn(effect, lock)
      const isFirst = crossing.isFirst && !(await mayForget(job.timestamp))
      const history: History = isFirst ? 'new' : repeatOf(effect)
      const made = history === 'maybe-done' ? await ledger.madeFor(effect) : undefined
      const begun = sink.repeat === 'at-most-once' ? await whyBegun({ redis, prefix, mayForget, job, effect }) : undefined
      if (begun !== undefined) unasked.add(job)
      else if (made === undefined) mustBeOver(effect, crossing)
      const attempt = { effect, attempts: job.attemptsMade + 1, lock, crossing, history, made, begun, late }
      return (signal) => run(attempt, signal)
    } catch (error) {
      await crossing.failed()
      throw error
    }
  }

  // The worker that ended it died before the job was completed.
  function hasEnded(how: string): Attempt {
    if (how !== endedWell) throw new Permanent(how)
    return () => Promise.resolve()
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
    if (!(await end(effect, outcome, { attempts, lock, call: crossing.call() }))) throw new LockLost(`${effect.id} is not ours any more.`)
    log.info({ effect: effect.id, ms: Date.now() - started, ...outcome }, 'performed')
  }

  async function further(effect: Effect, planned: Parameters<typeof effectsOf>[0], lock: Lock): Promise<Outcome> {
    const effects = effectsOf(planned, effect)
    if (!(await dispatch(effects, { cause: effect, lock }))) throw new LockLost(`${effect.id} is not ours any more.`)
    await journal.planned(effects)
    return { state: 'done', reason: `brought ${shortList(planned.map(({ about }) => about))}` }
  }

  // Answers in words what the effect would still have to wait for, if it goes ahead since it has waited long enough.
  async function waitForTurn(effect: Effect, lock: Lock): Promise<string | undefined> {
    if (isSerial) return undefined
    const turn = await lanes.turn(effect, lock)
    if (turn.state === 'lost') throw new LockLost(`${effect.id} is not ours any more.`)
    if (turn.state === 'waits') throw new PutOff()
    return turn.question === undefined
      ? undefined
      : `went ahead after a minute, before it was known ${sink.waitsFor?.known} (${deliveryOfEffect(turn.question)})`
  }

  type Ending = { attempts: number; lock?: Lock | undefined; call?: ReturnType<Crossing['call']> }

  async function end(effect: Effect, outcome: Ended, { attempts, lock, call }: Ending): Promise<boolean> {
    countOutcome(metrics, name, sink, outcome)
    const made = outcome.state === 'done' ? outcome.made : undefined
    const dead = outcome.state === 'dead' ? outcome.reason : undefined
    return await journal.ended(effect, outcome, attempts, (entry) => finish({ effect, lock, isAlone: isSerial, call, made, dead, entry }))
  }

  for (const { name: shortfall } of sink.shortfalls) metrics.shortfalls.inc({ sink: name, shortfall }, 0)
  if (sink.repeat === 'at-most-once') await markFromNow({ redis, prefix })
  if (!isSerial) watchLanes({ redis, prefix }, name, stopping)
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
    async onDead(job, error, token) {
      const lock = token === undefined ? undefined : lockOf(queue, job, token)
      await end(whatIs(job, name), { state: 'dead', reason: inWords(error) }, { attempts: job.attemptsMade + 1, lock })
    },
  })
}

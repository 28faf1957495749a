// A performer makes the effects of one sink happen: in the order of their lanes, and looked for first whenever this may
// not be the first time. What failed and what then is decided in `consumer.ts`.
import type { Job, Queue, Worker } from 'bullmq'
import { deliveryOfEffect, type Effect, effectSchema, effectsOf, type Outcome } from '#shared/event/effect.ts'
import type { Journal } from '#shared/journal/entry.ts'
import { inWords } from '#shared/process/errors.ts'
import { type Dispatch, type Lock, lockOf, serialSinks } from '#shared/queue/dispatch.ts'
import type { Lanes } from '#shared/queue/lanes.ts'
import type { Ledger } from '#shared/queue/ledger.ts'
import type { SinkName } from '#shared/queue/queues.ts'
import type { Sink } from '#sinks/sink.ts'
import { effectOf, whatIs } from './carried.ts'
import { type Attempt, NotYet, type Office, TakenOver, work } from './consumer.ts'
import { type Crossing, type Limits, openFence } from './fence.ts'
import type { Measures } from './metrics.ts'

type Parts = {
  office: Office
  name: SinkName
  sink: Sink
  queue: Queue
  lanes: Lanes
  ledger: Ledger
  dispatch: Dispatch
  journal: Journal
  concurrency: number
  limits: Limits
  metrics: Measures
}

/** What is known of a job before it is run: `made` is what the ledger has for it, `late` what it waited for in vain. */
type Prepared = {
  effect: Effect
  attempts: number
  lock: Lock
  crossing: Crossing
  first: boolean
  made: string | undefined
  late: string | undefined
}

const laneWaitMs = 500
const wentAhead = 'went ahead after a minute, before it was known which tasks the commits of an earlier event name'

/** Starts the performer of the sink `name`. */
export function startPerformer({
  office,
  name,
  sink,
  queue,
  lanes,
  ledger,
  dispatch,
  journal,
  concurrency,
  limits,
  metrics,
}: Parts): Promise<Worker> {
  const { redis, prefix, log } = office

  // All that may put the job off comes first: what is tried alone, since it may have killed a worker, must really be run.
  async function prepare(job: Job, token: string): Promise<Attempt> {
    const effect = effectOf(job)
    const crossing = await openFence({ redis, prefix, queue, limits, job, token, effect })
    try {
      const late = await waitForTurn(effect)
      const first = crossing.first && !(await office.mayForget(job.timestamp))
      const made = first || effect.anew === true ? undefined : await ledger.madeFor(effect)
      if (made === undefined) mustBeOver(effect, crossing)
      const attempt = { effect, attempts: job.attemptsMade + 1, lock: lockOf(queue, job, token), crossing, first, made, late }
      return (signal) => run(attempt, signal)
    } catch (error) {
      await crossing.failed()
      throw error
    }
  }

  function mustBeOver(effect: Effect, { busyMs }: Crossing): void {
    if (busyMs === 0) return
    log.info({ effect: effect.id, ms: busyMs }, 'waiting for an earlier call to be over')
    throw new NotYet(busyMs)
  }

  async function run({ effect, attempts, lock, crossing, first, made, late }: Prepared, signal: AbortSignal): Promise<void> {
    const started = Date.now()
    const since = new Date(effect.since)
    const { fence } = crossing
    const context = { first, made, since, signal, fence, madeForOthers: () => ledger.madeForOthers(effect) }
    const ended = await sink.perform(effect.data, context).catch(async (error: unknown) => {
      await crossing.failed()
      throw error
    })
    metrics.duration.observe({ sink: name }, (Date.now() - started) / 1000)
    const outcome = withReason(Array.isArray(ended) ? await further(effect, ended, lock) : ended, late)
    if (outcome.state === 'done' && outcome.made !== undefined && !serialSinks.has(name)) await ledger.write(effect, outcome.made)
    await crossing.succeeded()
    await end(effect, outcome, attempts)
    log.info({ effect: effect.id, ms: Date.now() - started, ...outcome }, 'performed')
  }

  async function further(effect: Effect, planned: Parameters<typeof effectsOf>[0], lock: Lock): Promise<Outcome> {
    if (!(await dispatch(effectsOf(planned, effect), { cause: effect, lock }))) throw new TakenOver(`${effect.id} is not ours any more.`)
    return { state: 'done' }
  }

  // In words what it would have waited for, when it has waited long enough.
  async function waitForTurn(effect: Effect): Promise<string | undefined> {
    if (serialSinks.has(name)) return undefined
    const turn = await lanes.turn(effect)
    if (turn.state === 'waits') throw new NotYet(laneWaitMs)
    return turn.question === undefined ? undefined : `${wentAhead} (${deliveryOfEffect(turn.question)})`
  }

  async function end(effect: Effect, outcome: Outcome | { state: 'dead'; reason: string }, attempts: number): Promise<void> {
    metrics.effects.inc({ sink: name, outcome: outcome.state })
    await journal.ended(effect, outcome, attempts)
    if (serialSinks.has(name)) return
    const next = await lanes.leave(effect)
    const waiting = next === undefined ? undefined : await queue.getJob(next)
    // It may be under way already: then it looks for itself.
    await waiting?.promote().catch(() => undefined)
  }

  return work({
    office,
    name,
    queue,
    concurrency,
    serial: serialSinks.has(name),
    prepare,
    async onFailed(job, error, ms) {
      const { data: effect } = effectSchema.safeParse(job.data)
      if (effect) await journal.failed(effect, job.attemptsMade + 1, ms, inWords(error))
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

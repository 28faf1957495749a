// The router decides what should happen: it reads each delivery, asks every sink for its plan, and hands the effects to
// the performers. Deliveries are routed one after another, over all workers, in the order in which Redis took them.
import type { Job, Queue, Worker } from 'bullmq'
import { type Delivery, deliverySchema } from '#shared/event/delivery.ts'
import { type Effect, effectsOf } from '#shared/event/effect.ts'
import { type GitLabEvent, parseEvent } from '#shared/event/event.ts'
import type { Decision, Journal } from '#shared/journal/entry.ts'
import { inWords, Permanent } from '#shared/process/errors.ts'
import type { Dispatch } from '#shared/queue/dispatch.ts'
import { aboutOf, type HiddenProjects } from '#shared/queue/hidden-projects.ts'
import type { Impatience } from '#shared/queue/impatience.ts'
import { lockOf } from '#shared/queue/lock.ts'
import { deliveryIdOf, retention } from '#shared/queue/queues.ts'
import type { ToldBefore } from '#shared/queue/told-events.ts'
import { type Sinks, sinkEntries } from '#sinks/open.ts'
import { LockLost, type WorkerContext, work } from '../performer/consumer.ts'
import { withoutRepeats } from './repeats.ts'

type Parts = {
  context: WorkerContext
  queue: Queue
  sinks: Sinks
  dispatch: Dispatch
  journal: Journal
  hidden: HiddenProjects
  toldBefore: ToldBefore
  impatience: Impatience
}

/** Starts the router. */
export function startRouter({ context, queue, sinks, dispatch, journal, hidden, toldBefore, impatience }: Parts): Promise<Worker> {
  async function route(job: Job, token: string): Promise<void> {
    const delivery = deliveryOf(job)
    const event = parseEvent(delivery)
    const { decisions, effects, mistakes } = await withoutRepeats(event, decide(event, sinks), sinks, toldBefore)
    const [isOurs] = await Promise.all([
      dispatch(effects, { lock: lockOf(queue, job, token) }),
      journal.routed(delivery, event, { decisions, effects, whole: mistakes.length === 0 }),
      hideProject(event, hidden),
    ])
    // Another worker routes this delivery, or one behind it, by now. This one must not go on beside it.
    if (!isOurs) throw new LockLost(`${job.id} is routed by another worker, or lost with Redis.`)
    context.log.info({ delivery: delivery.id, kind: event.kind, action: event.action, effects: effects.map(({ id }) => id) }, 'routed')
    if (event.mergeRequest) await impatience.hurry(event.mergeRequest)
    if (mistakes.length > 0) throw new Permanent(mistakes.join(' '))
  }

  // The body is not read: if reading it killed the router, it would do so again.
  function onDead(job: Job, error: Error): Promise<void> {
    return journal.unrouted(remainsOf(job), inWords(error), job.attemptsMade + 1)
  }

  return work({
    context,
    queue,
    keep: retention.deliveries,
    concurrency: 1,
    serial: true,
    prepare: (job, token) => () => route(job, token),
    onDead,
  })
}

async function hideProject(event: GitLabEvent, hidden: HiddenProjects): Promise<void> {
  const about = aboutOf(event)
  if (about && event.isVisibilityStated && event.visibility !== 'public') await hidden.hide(about)
}

type Decided = { decisions: Decision[]; effects: Effect[]; mistakes: string[] }

// A sink that cannot plan is a mistake of ours; it must not cost the other sinks their effects.
function decide(event: GitLabEvent, sinks: Sinks): Decided {
  const decided: Decided = { decisions: [], effects: [], mistakes: [] }
  for (const [name, sink] of sinkEntries(sinks)) {
    try {
      const planned = sink.plan(event)
      if (Array.isArray(planned)) decided.effects.push(...effectsOf(planned, event))
      decided.decisions.push(Array.isArray(planned) ? { sink: name } : { sink: name, reason: planned.nothing })
    } catch (error) {
      decided.mistakes.push(`Sink ${name} could not plan: ${inWords(error)}`)
      decided.decisions.push({ sink: name, reason: `could not plan: ${inWords(error)}` })
    }
  }
  return decided
}

// What a job tells that may not carry a delivery.
function remainsOf(job: Job): Delivery {
  const delivery = deliverySchema.safeParse(job.data)
  if (delivery.success) return delivery.data
  const id = deliveryIdOf(job.id ?? '')
  return { id, receivedAt: new Date(job.timestamp).toISOString(), headers: {}, body: JSON.stringify(job.data) }
}

function deliveryOf(job: Job): Delivery {
  const delivery = deliverySchema.safeParse(job.data)
  if (!delivery.success) throw new Permanent(`Job ${job.id} does not carry a delivery.`)
  return delivery.data
}

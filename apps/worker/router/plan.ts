// What should become of a delivery: it is read, every sink is asked for its plan, and the journal is told of both. Nothing is done yet.
import { type Delivery, deliverySchema } from '#shared/event/delivery.ts'
import { type Effect, effectsOf } from '#shared/event/effect.ts'
import { type GitLabEvent, parseEvent } from '#shared/event/event.ts'
import type { Decision, Journal } from '#shared/journal/entry.ts'
import { inWords, Permanent } from '#shared/process/errors.ts'
import { readJson } from '#shared/process/json.ts'
import type { Log } from '#shared/process/log.ts'
import { inSpan, type Span } from '#shared/process/spans.ts'
import type { Message, Routed, Waiting } from '#shared/queue/batch.ts'
import { type About, aboutOf } from '#shared/queue/hidden-projects.ts'
import { withoutLetGo } from '#shared/queue/let-go.ts'
import { deliveryIdOf, type QueuePlace } from '#shared/queue/queues.ts'
import { refusalOf } from '#shared/queue/redis-refusal.ts'
import type { Publication } from '#shared/queue/relay.ts'
import type { ToldBefore } from '#shared/queue/told-events.ts'
import { type Sinks, sinkEntries } from '#sinks/open.ts'
import type { MayForget } from '../performer/redis-lives.ts'
import { withoutRepeats } from './repeats.ts'

type Parts = QueuePlace & { sinks: Sinks; journal: Journal; toldBefore: ToldBefore; mayForget: MayForget; log: Log }

/** What plans deliveries. One that cannot be understood, or not planned by all sinks, is a dead letter; the other sinks have their effects. */
export function planner({ redis, prefix, sinks, journal, toldBefore, mayForget, log }: Parts): (waiting: Waiting) => Promise<Routed> {
  return async function plan(waiting) {
    // Its job is gone.
    if (waiting.data === '') return { job: waiting.job, entries: [], effects: [] }
    try {
      const delivery = deliveryOf(waiting)
      const told = { cause: delivery.traceparent, attributes: { delivery: delivery.id } }
      return await inSpan('route', told, (span) => route(delivery, waiting, span))
    } catch (error) {
      // The delivery is not to blame for what Redis refuses.
      if (refusalOf(error) !== undefined) throw error
      return await asDead(waiting, error)
    }
  }

  async function route(delivery: Delivery, waiting: Waiting, { carried, note }: Span): Promise<Routed> {
    const event = parseEvent(delivery)
    const { decisions, effects, mistakes } = await withoutRepeats(event, decide({ ...event, ...carried }, sinks), sinks, toldBefore)
    note({ effects: effects.length })
    const whole = mistakes.length === 0
    const entries = [await journal.routed(delivery, event, { decisions, effects, whole })]
    log.info({ delivery: delivery.id, kind: event.kind, action: event.action, effects: effects.map(({ id }) => id) }, 'routed')
    const routed = {
      job: waiting.job,
      entries,
      hide: hiddenBy(event),
      mergeRequest: event.mergeRequest,
      ...(await parted(await withoutLetGo({ redis, prefix }, effects), waiting)),
    }
    if (whole) return routed
    const dead = await asDead(waiting, new Permanent(mistakes.join(' ')))
    return { ...routed, dead: dead.dead, entries: [...entries, ...dead.entries] }
  }

  // What is new, and only a message, need not go through a queue.
  async function parted(effects: Effect[], { addedMs }: Waiting): Promise<Pick<Routed, 'effects' | 'messages'>> {
    const others: Effect[] = []
    const messages: Message[] = []
    for (const effect of effects) {
      const publication = publicationOf(effect, sinks)
      if (!publication || (await mayForget(addedMs))) others.push(effect)
      else
        messages.push({ effect, publication, entry: await journal.ended(effect, { state: 'done' }, 1, (entry) => Promise.resolve(entry)) })
    }
    return { effects: others, messages }
  }

  async function asDead(waiting: Waiting, error: unknown): Promise<Routed & { dead: string }> {
    log.error({ queue: 'deliveries', job: waiting.job, reason: inWords(error) }, 'died')
    return deadLetter(journal, waiting, error)
  }
}

/** A delivery as a dead letter. Its body is not read: if reading it killed the router, it would do so again. */
export async function deadLetter(journal: Journal, waiting: Waiting, error: unknown): Promise<Routed & { dead: string }> {
  const dead = inWords(error)
  return { job: waiting.job, entries: await journal.unrouted(remainsOf(waiting), dead, 1), effects: [], dead }
}

function publicationOf({ sink, data, again, anew }: Effect, sinks: Sinks): Publication | undefined {
  if (again === true || anew === true) return undefined
  return sinkEntries(sinks)
    .find(([name]) => name === sink)?.[1]
    .publication?.(data)
}

function hiddenBy(event: GitLabEvent): About | undefined {
  return event.isVisibilityStated && event.visibility !== 'public' ? aboutOf(event) : undefined
}

type Decided = { decisions: Decision[]; effects: Effect[]; mistakes: string[] }

// A sink that cannot plan is a mistake of ours; it must not cost the other sinks their effects.
function decide(event: GitLabEvent & Span['carried'], sinks: Sinks): Decided {
  const decided: Decided = { decisions: [], effects: [], mistakes: [] }
  for (const [name, sink] of sinkEntries(sinks)) {
    try {
      const planned = sink.plan(event)
      if (Array.isArray(planned)) decided.effects = decided.effects.concat(effectsOf(planned, event))
      decided.decisions.push(Array.isArray(planned) ? { sink: name } : { sink: name, reason: planned.nothing })
    } catch (error) {
      decided.mistakes.push(`Sink ${name} could not plan: ${inWords(error)}`)
      decided.decisions.push({ sink: name, reason: `could not plan: ${inWords(error)}` })
    }
  }
  return decided
}

// What a job tells that may not carry a delivery.
function remainsOf({ job, data, addedMs }: Waiting): Delivery {
  const delivery = deliverySchema.safeParse(readJson(data))
  if (delivery.success) return delivery.data
  return { id: deliveryIdOf(job), receivedAt: new Date(addedMs).toISOString(), headers: {}, body: data }
}

function deliveryOf({ job, data }: Waiting): Delivery {
  const delivery = deliverySchema.safeParse(readJson(data))
  if (!delivery.success) throw new Permanent(`Job ${job} does not carry a delivery.`)
  return delivery.data
}

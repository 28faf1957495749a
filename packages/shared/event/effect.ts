// An effect is one planned consequence of one event in one sink: small plain JSON with a deterministic id, so that
// planning the same delivery twice gives the same effects, and adding them twice is a no-op.
import { z } from 'zod'
import type { Json } from '#shared/process/json.ts'
import { timeSchema } from './time.ts'

/** The name of a sink, and of its queue. Which sinks there are is told by their registry. */
export const sinkName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'expected the name of a sink')

export const effectSchema = z.object({
  id: z.string(),
  delivery: z.string(),
  sink: sinkName,
  order: z.string(),
  after: z.object({ sink: sinkName, order: z.string() }).optional(),
  since: timeSchema,
  again: z.boolean().optional(),
  anew: z.boolean().optional(),
  traceparent: z.string().optional(),
  data: z.json(),
})

/**
 * `order` names what must stay in sequence: effects of one sink with the same `order` run one after another.
 * `after` names such a sequence of another sink: what was planned there earlier may still bring effects that belong before
 * this one, which waits until it has ended, for a minute at most.
 * `since` is when the delivery was received (ISO 8601): nothing of this effect can exist from before it.
 * `again` says that it may have been performed before, in a life this queue does not remember; `anew` that it is to be
 * performed once more even where the queue remembers that it has ended.
 * `traceparent` names the span in which it was planned, as W3C Trace Context writes it.
 */
export type Effect = z.infer<typeof effectSchema>

/**
 * How an effect ended. `done`: what was made, with its address and the id that the remote gave it where there are any, and
 * for a message of the feed the cursor of the one before;
 * `nothing`: why there was nothing to do.
 */
export type Outcome = Done | NothingDone
export type Done = { state: 'done'; link?: string; made?: string; previous?: string; reason?: string }
export type NothingDone = { state: 'nothing'; reason: string; would?: string }

const mostListed = 20

/** Names in a reason: `T1, T2`; of more than twenty the first, and how many more. */
export function shortList(names: readonly string[]): string {
  const more = names.length - mostListed
  return names.slice(0, mostListed).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

export function nothingDone(reason: string): NothingDone {
  return { state: 'nothing', reason }
}

/** Nothing, since this is a dry run; `would` is what else would have been done: `comment on T12`. */
export function onlyWould(would: string): NothingDone {
  return { state: 'nothing', reason: `dry run: would ${would}`, would }
}

/** The deterministic id of an effect: the delivery, the sink, and what it is about, such as a task. Safe as a BullMQ job id. */
export function effectId(delivery: string, sink: string, about: string): string {
  return [delivery, sink, about].map(encodeURIComponent).join('/')
}

/** The delivery that the effect with this id came of. */
export function deliveryOfEffect(id: string): string {
  return decodeURIComponent(id.split('/')[0] ?? '')
}

/** The order of the effects that end in a message of the feed: `made` is its cursor. */
export const feedOrder = 'feed'

/** What the effect with this id is about. */
export function aboutOfEffect(id: string): string {
  return decodeURIComponent(id.split('/').at(-1) ?? '')
}

/** An effect as a sink plans it; the router adds the ids. `about` tells it from the others of its delivery and sink. */
export type PlannedEffect = { sink: string; about: string; order: string; after?: Effect['after']; data: Json }

/** What a plan comes to: effects, or in words a person understands why there are none. */
export type Planned = PlannedEffect[] | { nothing: string }

export function nothing(reason: string): { nothing: string } {
  return { nothing: reason }
}

/** The effects of `planned`, for the event it was planned for. */
export function effectsOf(
  planned: PlannedEffect[],
  cause: Pick<Effect, 'delivery' | 'since' | 'again' | 'anew' | 'traceparent'>,
): Effect[] {
  const { delivery, since, again, anew, traceparent } = cause
  return planned.map(({ sink, about, order, after, data }) => ({
    id: effectId(delivery, sink, about),
    delivery,
    sink,
    order,
    ...(after && { after }),
    since,
    data,
    ...(again === true && { again }),
    ...(anew === true && { anew }),
    ...(traceparent !== undefined && { traceparent }),
  }))
}

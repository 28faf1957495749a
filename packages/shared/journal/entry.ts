// What is written into the journal: entries. They wait in the outbox and in a queue until the recorder has written them, so
// that a database that is away delays nothing. They can be written twice, and in any order.
import { z } from 'zod'
import type { Delivery } from '#shared/event/delivery.ts'
import { type Effect, effectId, effectSchema, type Outcome } from '#shared/event/effect.ts'
import type { GitLabEvent } from '#shared/event/event.ts'
import { timeSchema } from '#shared/event/time.ts'
import { addToOutbox } from '#shared/queue/outbox.ts'
import type { QueuePlace } from '#shared/queue/queues.ts'
import { compress } from './compress.ts'
import { keptMessageOf, keptMessageSchema } from './kept-message.ts'

/** The router can end in a dead letter as a sink can, when it can do nothing with a delivery. */
export const router = 'router'

/** The kind of a delivery that has not been understood (yet). */
export const unread = 'unknown'

const recordedEffectSchema = effectSchema.omit({ data: true })

const deliverySchema = z.object({
  type: z.literal('delivery'),
  id: z.string(),
  receivedAt: timeSchema,
  origin: z.string().max(12).optional(),
  headers: z.record(z.string(), z.string()),
  body: z.base64(),
  kind: z.string(),
  action: z.string().optional(),
  project: z.string().optional(),
  iid: z.number().optional(),
  username: z.string().optional(),
  title: z.string().optional(),
  decisions: z.array(z.object({ sink: z.string(), reason: z.string().optional() })),
  effects: z.array(recordedEffectSchema),
  routed: z.boolean().optional(),
  message: keptMessageSchema.optional(),
})

const endedSchema = z.object({
  type: z.literal('ended'),
  effect: recordedEffectSchema,
  state: z.enum(['done', 'nothing', 'dead']),
  reason: z.string().optional(),
  link: z.string().optional(),
  made: z.string().optional(),
  previous: z.string().optional(),
  attempts: z.number(),
  endedAt: timeSchema,
  // By the clock of Redis, since those of two workers differ.
  toldAtMs: z.number().optional(),
})

const failedSchema = z.object({
  type: z.literal('failed'),
  effect: z.string(),
  number: z.number(),
  at: timeSchema,
  ms: z.number(),
  reason: z.string(),
})

const plannedSchema = z.object({ type: z.literal('planned'), effects: z.array(recordedEffectSchema) })

/** Everything that may be written into the journal. */
export const entrySchema = z.discriminatedUnion('type', [deliverySchema, plannedSchema, endedSchema, failedSchema])
export type JournalEntry = z.output<typeof entrySchema>

export type DeliveryEntry = z.output<typeof deliverySchema>
export type PlannedEntry = z.output<typeof plannedSchema>
export type EndedEntry = z.output<typeof endedSchema>
export type FailedEntry = z.output<typeof failedSchema>

/** For each sink what it decided: `reason` says why it does nothing; without one there are effects. */
export type Decision = { sink: string; reason?: string }

/** How an effect has ended. */
export type Ended = Outcome | { state: 'dead'; reason: string }

export type Journal = {
  /** The entry of a delivery that has been read and decided on, by every sink if it is `whole`. Whoever asks puts it into the outbox. */
  routed: (delivery: Delivery, event: GitLabEvent, decided: { decisions: Decision[]; effects: Effect[]; whole: boolean }) => Promise<string>
  /** The entries of one that could not be routed, or not wholly, and is a dead letter of the router. */
  unrouted: (delivery: Delivery, reason: string, attempts: number) => Promise<string[]>
  /** An effect has brought further ones. */
  planned: (effects: Effect[]) => Promise<void>
  /** An attempt, the one with this number, failed after `ms`. */
  failed: (effect: Effect, number: number, ms: number, reason: string) => Promise<void>
  /** An effect has ended, after `attempts` attempts: `put` puts the entry into the outbox, with the time of Redis, and is answered. */
  ended: <T>(effect: Effect, outcome: Ended, attempts: number, put: (entry: string) => Promise<T>) => Promise<T>
}

/** The journal as the router and the performers see it; `onPut` is called after each entry, which is in the outbox then. */
export function openJournal(place: QueuePlace, onPut: () => void): Journal {
  async function put(entry: JournalEntry): Promise<void> {
    await addToOutbox(place, JSON.stringify(entry), { stamped: entry.type === 'ended' })
    onPut()
  }

  return {
    async routed(delivery, event, { decisions, effects, whole }) {
      const message = await keptMessageOf(event, effects)
      const entry: DeliveryEntry = {
        ...(await withBody(delivery)),
        decisions,
        kind: event.kind,
        ...(event.action !== undefined && { action: event.action }),
        ...(event.project && { project: event.project.path }),
        ...(event.mergeRequest && { iid: event.mergeRequest.iid, title: event.mergeRequest.title }),
        ...(event.username !== undefined && { username: event.username }),
        effects: effects.map(withoutData),
        routed: whole,
        ...(message && { message }),
      }
      return JSON.stringify(entry)
    },
    async unrouted(delivery, reason, attempts) {
      const entry: DeliveryEntry = { ...(await withBody(delivery)), kind: unread, decisions: [], effects: [] }
      return [JSON.stringify(entry), JSON.stringify(routerLetter(delivery, reason, attempts))]
    },
    async planned(effects) {
      const entry: PlannedEntry = { type: 'planned', effects: effects.map(withoutData) }
      await put(entry)
    },
    async failed({ id }, number, ms, reason) {
      const at = new Date(Date.now() - ms).toISOString()
      const entry: FailedEntry = { type: 'failed', effect: id, number, at, ms, reason }
      await put(entry)
    },
    async ended(effect, outcome, attempts, put) {
      const entry: EndedEntry = { type: 'ended', effect: withoutData(effect), ...outcome, attempts, endedAt: new Date().toISOString() }
      const answer = await put(JSON.stringify(entry))
      onPut()
      return answer
    },
  }
}

/** The dead letter of a delivery that could not be routed, or not be recorded. */
export function routerLetter({ id, receivedAt }: Pick<Delivery, 'id' | 'receivedAt'>, reason: string, attempts: number): EndedEntry {
  const effect = { id: effectId(id, router, 'delivery'), delivery: id, sink: router, order: id, since: receivedAt }
  return { type: 'ended', effect, state: 'dead', reason, attempts, endedAt: new Date().toISOString() }
}

async function withBody({ id, receivedAt, origin, headers, body }: Delivery) {
  const compressed = (await compress(body)).toString('base64')
  return { type: 'delivery' as const, id, receivedAt, ...(origin !== undefined && { origin }), headers, body: compressed }
}

// What a sink needs for an effect is in its queue; the journal keeps what was to happen, and what came of it.
function withoutData({ id, delivery, sink, order, since, again }: Effect): Omit<Effect, 'data'> {
  return { id, delivery, sink, order, since, ...(again === true && { again }) }
}

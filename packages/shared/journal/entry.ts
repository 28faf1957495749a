// What the journal is told. Entries wait in a queue until the recorder has written them, so that a database that is away
// delays nothing. They can be written twice, and in any order.
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Queue } from 'bullmq'
import { z } from 'zod'
import type { Delivery } from '../delivery.ts'
import { type Effect, effectSchema, type Outcome } from '../effect.ts'
import type { GitLabEvent } from '../event.ts'

const deliverySchema = z.object({
  type: z.literal('delivery'),
  id: z.string(),
  receivedAt: z.iso.datetime(),
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
  effects: z.array(effectSchema.omit({ data: true })),
})

const endedSchema = z.object({
  type: z.literal('ended'),
  effect: effectSchema.omit({ data: true }),
  state: z.enum(['done', 'nothing', 'dead']),
  reason: z.string().optional(),
  link: z.string().optional(),
  made: z.string().optional(),
  previous: z.string().optional(),
  attempts: z.number(),
  endedAt: z.iso.datetime(),
})

const failedSchema = z.object({
  type: z.literal('failed'),
  effect: z.string(),
  number: z.number(),
  at: z.iso.datetime(),
  ms: z.number(),
  reason: z.string(),
})

export const entrySchema = z.discriminatedUnion('type', [deliverySchema, endedSchema, failedSchema])
export type Entry = z.output<typeof entrySchema>
export type DeliveryEntry = z.output<typeof deliverySchema>
export type EndedEntry = z.output<typeof endedSchema>
export type FailedEntry = z.output<typeof failedSchema>

/** For each sink what it decided: `reason` says why it does nothing; without one there are effects. */
export type Decision = { sink: string; reason?: string }

export type Journal = {
  /** A delivery has been routed. */
  routed: (delivery: Delivery, event: GitLabEvent, decisions: Decision[], effects: Effect[]) => Promise<void>
  /** An attempt, the one with this number, failed after `ms`. */
  failed: (effect: Effect, number: number, ms: number, reason: string) => Promise<void>
  /** An effect has ended, after `attempts` attempts. */
  ended: (effect: Effect, outcome: Outcome | { state: 'dead'; reason: string }, attempts: number) => Promise<void>
}

const compress = promisify(gzip)
const uncompress = promisify(gunzip)

/** The journal as the router and the performers see it; `waiting` are options that make entries wait for the database. */
export function openJournal(queue: Queue, waiting: object): Journal {
  return {
    async routed({ id, receivedAt, headers, body, origin }, event, decisions, effects) {
      const entry: DeliveryEntry = {
        type: 'delivery',
        id,
        receivedAt,
        ...(origin !== undefined && { origin }),
        headers,
        decisions,
        body: (await compress(body)).toString('base64'),
        kind: event.kind,
        ...(event.action !== undefined && { action: event.action }),
        ...(event.project && { project: event.project.path }),
        ...(event.mergeRequest && { iid: event.mergeRequest.iid, title: event.mergeRequest.title }),
        ...(event.username !== undefined && { username: event.username }),
        effects: effects.map(withoutData),
      }
      await queue.add('delivery', entry, waiting)
    },
    async failed({ id }, number, ms, reason) {
      const at = new Date(Date.now() - ms).toISOString()
      const entry: FailedEntry = { type: 'failed', effect: id, number, at, ms, reason }
      await queue.add('failed', entry, waiting)
    },
    async ended(effect, outcome, attempts) {
      const entry: EndedEntry = { type: 'ended', effect: withoutData(effect), ...outcome, attempts, endedAt: new Date().toISOString() }
      await queue.add('ended', entry, waiting)
    },
  }
}

// What a sink needs for an effect is in its queue; the journal keeps what was to happen, and what came of it.
function withoutData({ id, delivery, sink, order, since, again }: Effect): Omit<Effect, 'data'> {
  return { id, delivery, sink, order, since, ...(again === true && { again }) }
}

/** The body of a delivery as it came, from the compressed form in which the journal keeps it. */
export async function bodyOf(compressed: Buffer): Promise<string> {
  return (await uncompress(compressed)).toString('utf8')
}

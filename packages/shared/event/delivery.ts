// A delivery is one HTTP request from GitLab, verbatim, with the id by which a repeat of it is known. Ingest makes
// them, the `deliveries` queue carries them, the journal keeps them, and a replay starts from them again.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { JsonObject } from '#shared/process/json.ts'
import { timeSchema } from './time.ts'

export const deliverySchema = z.object({
  id: z.string(),
  receivedAt: timeSchema,
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  again: z.boolean().optional(),
  redelivered: z.boolean().optional(),
  origin: z.enum(['imported', 'reconciled', 'canary']).optional(),
  traceparent: z.string().optional(),
})

/**
 * `receivedAt` is ISO 8601 in UTC, `body` the raw text as it came, `headers` those worth keeping, never a secret.
 * `again` marks one that went through before, or may have (the spool, an import): its effects are looked up first.
 * `origin` says how it came when it was not by a hook. `redelivered`: an operator sent it through again, so also effects that have ended are performed once more.
 * `traceparent` names the span that received it, as W3C Trace Context writes it.
 */
export type Delivery = z.infer<typeof deliverySchema>

/** The `origin` of a delivery from the word in which the journal keeps it; a hook has none. */
export function originOf(word: string): Delivery['origin'] {
  return deliverySchema.shape.origin.safeParse(word).data
}

/** What every delivery's id is like: something that can be typed. */
export const plainId = /^[\x21-\x7e]{1,200}$/

/**
 * The id of a delivery: what GitLab says (`Idempotency-Key`, the same value as `webhook-id` since 19.0), else a hash
 * of the raw body and the event kind. `X-Gitlab-Event-UUID` and `X-Gitlab-Webhook-UUID` are new at each try.
 * An id nobody could type is replaced by its hash.
 */
export function deliveryId(headers: Record<string, string>, body: string, kind: string): string {
  const given = headers['idempotency-key'] || headers['webhook-id']
  if (given === undefined || given === '') return hash(`${kind}\n${body}`)
  return plainId.test(given) ? given : hash(given)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The event kind a body names: `object_kind`, else `event_name`, else `unknown`. */
export function kindOf(body: JsonObject): string {
  for (const value of [body.object_kind, body.event_name]) if (typeof value === 'string' && value !== '') return value
  return 'unknown'
}

const kept = /^(x-gitlab-(?!token$).*|idempotency-key|webhook-id|webhook-timestamp|user-agent|content-type)$/

/**
 * The headers of a request that are kept with its delivery: GitLab's own, without the secret ones. Of a signed one its
 * `Idempotency-Key` is left out: the signature covers `webhook-id` alone.
 */
export function keepHeaders(headers: NodeJS.Dict<string | string[]>, { isSigned = false } = {}): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined && kept.test(name)) result[name] = String(value)
  if (isSigned) delete result['idempotency-key']
  return result
}

// Losses and disasters, remembered in Redis until somebody acknowledges them.
import { z } from 'zod'
import { readJson } from '#shared/process/json.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'

export const lossKinds = ['refused', 'redis-empty', 'database-empty'] as const

const lossSchema = z.object({
  /** Deliveries that were refused since neither Redis nor the spool took them; or Redis, or the database, has come back empty. */
  kind: z.enum(lossKinds),
  /** It happened then or later, and not after `until`. */
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  /** How many deliveries were refused. */
  count: z.number().optional(),
})
export type Loss = z.output<typeof lossSchema>

const key = (prefix: string) => `${keyPrefix(prefix)}:losses`

// Nobody sees to more; what comes then is in metrics and logs alone.
const most = 1000

/** Remembers `loss` as `id`, in place of what was known of it, unless 1,000 others are remembered. Rejects when Redis does not take it. */
export async function rememberLoss({ redis, prefix }: QueuePlace, id: string, loss: Loss): Promise<void> {
  const isKnown = (await redis.hexists(key(prefix), id)) === 1
  if (isKnown || (await redis.hlen(key(prefix))) < most) await redis.hset(key(prefix), id, JSON.stringify(loss))
}

/** The same for one that several processes see: the first of them tells it. Answers whether that was this one. */
export async function rememberOnce({ redis, prefix }: QueuePlace, loss: Loss): Promise<boolean> {
  return (await redis.hsetnx(key(prefix), loss.kind, JSON.stringify(loss))) === 1
}

/** What nobody has acknowledged, the earliest first. Rejects when Redis does not answer. */
export async function rememberedLosses({ redis, prefix }: QueuePlace): Promise<Array<Loss & { id: string }>> {
  return Object.entries(await redis.hgetall(key(prefix)))
    .flatMap(([id, text]) => {
      const read = lossSchema.safeParse(readJson(text))
      return read.success ? [{ id, ...read.data }] : []
    })
    .toSorted((a, b) => a.since.localeCompare(b.since))
}

/** Forgets those with the `ids`; how many there were. */
export async function forgetLosses({ redis, prefix }: QueuePlace, ids: string[]): Promise<number> {
  return ids.length === 0 ? 0 : await redis.hdel(key(prefix), ...ids)
}

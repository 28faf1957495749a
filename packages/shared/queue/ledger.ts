// What the remotes made for which effect, by the ids they gave. Two events may bring comments that read alike; when one
// of them is looked for again, what belongs to the other does not count. Only a reconciled delivery may tell of the same
// event as a hook: what was made for one of these counts for the other.
import type { Effect } from '#shared/event/effect.ts'
import { isReconciled } from '#shared/event/reconciled.ts'
import { keyPrefix } from './queues.ts'
import type { Redis } from './redis.ts'

export type Ledger = {
  /** What was made for this effect. */
  madeFor: (effect: Effect) => Promise<string | undefined>
  /** What was made for other effects of the same sink and order. */
  madeForOthers: (effect: Effect) => Promise<Set<string>>
}

/** For how long an entry is kept after the last one beside it. It is written where effects end. */
export const ledgerKeepSeconds = 30 * 24 * 3600

/** The key of the hash that has, by what was made, the effects of one sink and order. */
export function ledgerKey(prefix: string, { sink, order }: Effect): string {
  return `${keyPrefix(prefix)}:made:${sink}:${order}`
}

/** The ledger over `redis`. */
export function openLedger({ redis, prefix }: { redis: Redis; prefix: string }): Ledger {
  const page = (effect: Effect) => ledgerKey(prefix, effect)
  return {
    async madeFor(effect) {
      const entries = Object.entries(await redis.hgetall(page(effect)))
      return entries.find(([, id]) => id === effect.id)?.[0]
    },
    async madeForOthers(effect) {
      const entries = Object.entries(await redis.hgetall(page(effect)))
      const isOther = (id: string) => id !== effect.id && isReconciled(id) === isReconciled(effect.id)
      return new Set(entries.flatMap(([made, id]) => (isOther(id) ? [made] : [])))
    },
  }
}

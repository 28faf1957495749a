// What the router does with the `deliveries` queue: takes a batch of what waits, and settles it in one step. One process at a time
// may, that whose token stands in Redis.
import { z } from 'zod'
import type { Effect } from '#shared/event/effect.ts'
import type { MergeRequest } from '#shared/event/event.ts'
import { settleBatch, stayRouter, takeBatch } from './batch-script.ts'
import { effectRows } from './dispatch.ts'
import { type About, hiddenKeys } from './hidden-projects.ts'
import { holdKey } from './hold.ts'
import { laneKeys } from './lanes.ts'
import { outboxKey } from './outbox.ts'
import { keyPrefix, type QueuePlace, retention } from './queues.ts'
import { retries } from './retries.ts'

/** A delivery that waits to be routed. `data` is what its job carries, `deaths` at how many deaths of a router it was under way. */
export type Waiting = { job: string; data: string; deaths: number; addedMs: number }

/** What becomes of a delivery: entries for the journal, effects, a project to hide, the merge request it is about; `dead` says why it is a dead letter. */
export type Routed = { job: string; entries: string[]; effects: Effect[]; hide?: About | undefined; mergeRequest?: MergeRequest | undefined; dead?: string | undefined }

export type Batches = {
  /** At most so many deliveries that wait, in their order; in `othersMs` for how long another process is the router, at most. */
  take: (most: number) => Promise<{ othersMs: number; batch: Waiting[] }>
  /** Stays the router, if this process is. */
  stay: () => Promise<void>
  /** Settles a whole batch. False, and nothing is done, when it is not at hand any more. */
  settle: (routed: Routed[]) => Promise<boolean>
  /** Is the router no longer: the next one need not wait. */
  leave: () => Promise<void>
}

/** For how long a router that is not heard of stays it; for a batch of large bodies 1 ms a KiB longer, since reading them takes that. */
const leaseMs = 1500
const mostBytes = 1024 * 1024

const takenSchema = z.tuple([z.number(), z.array(z.tuple([z.string(), z.string(), z.coerce.number(), z.coerce.number()]))])

/** The batches over `redis`; `token` names this process. Effects of the sinks `oneByOne` have no lanes. */
export function openBatches({ redis, prefix }: QueuePlace, token: string, oneByOne: ReadonlySet<string>): Batches {
  const router = `${keyPrefix(prefix)}:router`
  const keys = [router, `${router}:batch`, holdKey(prefix, 'deliveries'), `${keyPrefix(prefix)}:deliveries:`]
  const settleKeys = [...keys, outboxKey(prefix), laneKeys(prefix).counter, ...hiddenKeys(prefix)]
  const effectRow = effectRows(prefix, oneByOne)
  const { age, count } = retention.deliveries

  return {
    async take(most) {
      const [othersMs, found] = takenSchema.parse(await takeBatch(redis, keys, [token, leaseMs, most, mostBytes]))
      return { othersMs, batch: found.map(([job, data, deaths, addedMs]) => ({ job, data, deaths, addedMs })) }
    },
    async stay() {
      await stayRouter(redis, keys.slice(0, 2), [token, leaseMs])
    },
    async settle(routed) {
      const each = routed.flatMap(({ entries, effects, hide, dead = '' }) => {
        const hidden = hide ? [hide.receivedAt, ...hide.names] : []
        return [dead, entries.length, ...entries, hidden.length, ...hidden, effects.length, ...effects.flatMap(effectRow)]
      })
      return (await settleBatch(redis, settleKeys, [token, JSON.stringify(retries), age, count, routed.length, ...each])) === 1
    },
    async leave() {
      await stayRouter(redis, keys.slice(0, 2), [token, 0])
    },
  }
}

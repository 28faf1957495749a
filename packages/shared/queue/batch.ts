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
import { aboutIn, type Publication, publishedKey, relayKeys } from './relay.ts'
import { retries } from './retries.ts'

/** A delivery that waits to be routed. `data` is what its job carries, `deaths` at how many deaths of a router it was under way. */
export type Waiting = { job: string; data: string; deaths: number; addedMs: number }

/** A message that may be appended to the relay at once; `entry` tells the journal that its effect is done. */
export type Message = { effect: Effect; publication: Publication; entry: string }

/**
 * What becomes of a delivery: entries for the journal, effects, messages, a project to hide, its merge request; `dead` says why it is
 * a dead letter.
 */
export type Routed = {
  job: string
  entries: string[]
  effects: Effect[]
  messages?: Message[]
  hide?: About | undefined
  mergeRequest?: MergeRequest | undefined
  dead?: string | undefined
}

export type Batches = {
  /** At most so many deliveries that wait, in their order; in `othersMs` for how long another process is the router, at most. */
  take: (most: number) => Promise<{ othersMs: number; batch: Waiting[] }>
  /** Stays the router, if this process is. */
  stay: () => Promise<void>
  /**
   * Settles a whole batch; undefined, and nothing is done, when it is not at hand any more. Of how many messages the effects are done:
   * the others wait in their queue, since that is paused or not empty, or the journal must be asked.
   */
  settle: (routed: Routed[]) => Promise<number | undefined>
  /** Is the router no longer: the next one need not wait. */
  leave: () => Promise<void>
}

/** For how long a router that is not heard of stays it; for a batch of large bodies 1 ms a KiB longer, since reading them takes that. */
const leaseMs = 1500
const mostBytes = 1024 * 1024

const takenSchema = z.tuple([z.number(), z.array(z.tuple([z.string(), z.string(), z.coerce.number(), z.coerce.number()]))])

type Parts = QueuePlace & { token: string; oneByOne: ReadonlySet<string>; feedKeep: number }

/** The batches over `redis`; `token` names this process. Effects of the sinks `oneByOne` have no lanes. `feedKeep` bounds the relay. */
export function openBatches({ redis, prefix, token, oneByOne, feedKeep }: Parts): Batches {
  const router = `${keyPrefix(prefix)}:router`
  const keys = [router, `${router}:batch`, holdKey(prefix, 'deliveries'), `${keyPrefix(prefix)}:deliveries:`]
  const settleKeys = [...keys, outboxKey(prefix), laneKeys(prefix).counter, ...hiddenKeys(prefix), ...relayKeys(prefix)]
  const effectRow = effectRows(prefix, oneByOne)
  const { age, count } = retention.deliveries

  function messageRow({ effect, publication: { id, message, subject }, entry }: Message): Array<string | number> {
    const { about, shown } = aboutIn(subject)
    return [...effectRow(effect), publishedKey(prefix, id), entry, message, about, shown.length, ...shown]
  }

  return {
    async take(most) {
      const [othersMs, found] = takenSchema.parse(await takeBatch(redis, keys, [token, leaseMs, most, mostBytes]))
      return { othersMs, batch: found.map(([job, data, deaths, addedMs]) => ({ job, data, deaths, addedMs })) }
    },
    async stay() {
      await stayRouter(redis, keys.slice(0, 2), [token, leaseMs])
    },
    async settle(routed) {
      const each = routed.flatMap(({ entries, effects, messages = [], hide, dead = '' }) => {
        const hidden = hide ? [hide.receivedAt, ...hide.names] : []
        const planned = [effects.length, ...effects.flatMap(effectRow), messages.length, ...messages.flatMap(messageRow)]
        return [dead, entries.length, ...entries, hidden.length, ...hidden, ...planned]
      })
      const args = [token, JSON.stringify(retries), age, count, feedKeep, routed.length, ...each]
      const published = Number(await settleBatch(redis, settleKeys, args))
      return published < 0 ? undefined : published
    },
    async leave() {
      await stayRouter(redis, keys.slice(0, 2), [token, 0])
    },
  }
}

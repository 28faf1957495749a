// A hold: a queue waiting because its remote is down. It lives in Redis, for all workers: the queue is rate-limited
// until the next probe and lets one job at a time through, in order, costing no attempt, until one of them succeeds.
import type { Queue } from 'bullmq'
import { inWords, Refused, Unavailable } from '#shared/errors.ts'
import type { Log } from '#shared/log.ts'
import { keyPrefix } from '#shared/queues.ts'
import type { Redis } from '#shared/redis.ts'
import { script } from '#shared/redis-script.ts'

export type Holds = {
  /** Holds the queue because of `error`, until the next probe. */
  hold: (error: Unavailable | Refused) => Promise<void>
  /** Lets the queue go on at full speed, if it was held. */
  release: () => Promise<void>
}

const firstProbe = 1000
const longestWait = 60_000
// Shorter than any wait for a probe: what was let go, or was free, so short a time ago can be held since only by a hold whose
// probe is still to come.
const seldomMs = 500

// One job at a time is BullMQ's own setting, in the queue's meta key. It is written in one step with the hold, so that no
// death in between, and no other worker that lets the queue go just then, leaves a queue slow that nobody holds.
// Whoever comes while the queue is held already changes nothing; else the waiting time doubles, with jitter.
const holdQueue = `
redis.call('HSET', KEYS[2], 'concurrency', 1)
local now, first, longest, asked, jitter = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local left = tonumber(redis.call('HGET', KEYS[1], 'until') or '0') - now
if left > 0 then return {left, 0} end
local probes = redis.call('HINCRBY', KEYS[1], 'probes', 1)
local wait = math.max(math.min(longest, first * 2 ^ math.min(probes - 1, 16)) * jitter, asked)
redis.call('HSETNX', KEYS[1], 'since', ARGV[1])
redis.call('HSET', KEYS[1], 'until', now + wait, 'reason', ARGV[6], 'refused', ARGV[7])
return {math.ceil(wait), probes}`

const releaseQueue = script(`
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
if ARGV[1] == '' then redis.call('HDEL', KEYS[2], 'concurrency') else redis.call('HSET', KEYS[2], 'concurrency', ARGV[1]) end
return 1`)

export type Hold = { since: Date; until: Date; probes: number; reason: string; refused: boolean }

const holdKey = (prefix: string, queue: string) => `${keyPrefix(prefix)}:hold:${queue}`

/** The hold of the queue with this name, as it stands; undefined when it is not held. */
export async function readHold(redis: Redis, prefix: string, queue: string): Promise<Hold | undefined> {
  const { since, until, probes, reason = '', refused } = await redis.hgetall(holdKey(prefix, queue))
  if (since === undefined) return undefined
  return { since: new Date(Number(since)), until: new Date(Number(until)), probes: Number(probes), reason, refused: refused === 'true' }
}

type Parts = { redis: Redis; prefix: string; queue: Queue; concurrency: number | undefined; log: Log }

/** The hold of one queue. `concurrency` is how many of its jobs may run at once over all workers, outside of a hold. */
export function openHolds({ redis, prefix, queue, concurrency, log }: Parts): Holds {
  const keys = [holdKey(prefix, queue.name), queue.toKey('meta')] as const
  let looked = Number.NEGATIVE_INFINITY

  return {
    async hold(error) {
      const asked = error instanceof Unavailable ? (error.retryAfter ?? 0) : 0
      const refused = error instanceof Refused
      const jitter = 0.75 + Math.random() / 4
      const answer = await redis.eval(
        holdQueue,
        2,
        ...keys,
        Date.now(),
        firstProbe,
        longestWait,
        asked,
        jitter,
        inWords(error),
        String(refused),
      )
      const [wait, probes] = Array.isArray(answer) ? answer.map(Number) : []
      if (wait === undefined) return
      await queue.rateLimit(wait)
      if (probes === 0) return
      log[refused ? 'error' : 'warn']({ queue: queue.name, probes, ms: wait, reason: inWords(error) }, 'holding')
    },
    async release() {
      if (performance.now() - looked < seldomMs) return
      looked = performance.now()
      const released = await releaseQueue(redis, keys, [concurrency ?? ''])
      if (released === 1) log.info({ queue: queue.name }, 'going on')
    },
  }
}

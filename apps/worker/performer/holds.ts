// A hold: a queue waiting because its remote is down. It lives in Redis, for all workers: the queue is rate-limited
// until the next probe and lets one job at a time through, in order, costing no attempt, until one of them succeeds.
import type { Queue } from 'bullmq'
import { inWords, Refused, Unavailable } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { holdKey } from '#shared/queue/hold.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { script } from '#shared/queue/redis-script.ts'

export type Holds = {
  /** Holds the queue because of `error`, until the next probe. */
  hold: (error: Unavailable | Refused) => Promise<void>
  /** Lets the queue go on at full speed, if it was held. */
  release: () => Promise<void>
}

const firstProbeMs = 1000
const longestWaitMs = 60_000
// After each success Redis is asked whether the queue is held, but not more often than this. It is shorter than any wait for a
// probe: a hold that began since cannot be due to end yet.
const seldomMs = 500

// The longest that anybody may ask for.
const longestAskedMs = 3_600_000
// The value that BullMQ writes as the rate limit of a queue that must start no job.
const unlimited = Number.MAX_SAFE_INTEGER

// The global concurrency of 1 and the rate limit are BullMQ's own settings. They are written in one step with the hold.
// Otherwise a worker that dies in between, or another one that releases the queue just then, would leave a queue slow that is
// not on hold. Times are by the clock of Redis. If that goes back, no hold lasts longer than was asked for. On a queue that is
// on hold already a further hold can only make it longer. On any other the wait doubles from probe to probe, with jitter.
const times = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function left()
  local till, ms = unpack(redis.call('HMGET', KEYS[1], 'until', 'ms'))
  local rest = tonumber(till or '0') - now
  return rest <= tonumber(ms or '${longestAskedMs}') and rest or 0
end`

// The rate limit may outlive its hold, when a success has released that. What is left of it counts like what is left of a hold.
const holdQueue = script(`${times}
local first, longest, asked, jitter = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local limit = tonumber(redis.call('GET', KEYS[3]) or '0') >= tonumber(ARGV[7]) and redis.call('PTTL', KEYS[3]) or 0
local rest = math.max(left(), math.min(limit, ${longestAskedMs}))
redis.call('HSET', KEYS[2], 'concurrency', 1)
local isHeld = left() > 0
local probes = isHeld and 0 or redis.call('HINCRBY', KEYS[1], 'probes', 1)
local wait = isHeld and 0 or math.min(longest, first * 2 ^ math.min(probes - 1, 16)) * jitter
wait = math.ceil(math.max(wait, rest, asked))
redis.call('HSETNX', KEYS[1], 'since', string.format('%.0f', now))
if not isHeld or asked > rest then
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + wait), 'ms', wait, 'reason', ARGV[5], 'refused', ARGV[6], 'remote', ARGV[8])
end
redis.call('SET', KEYS[3], ARGV[7], 'PX', wait)
return {wait, probes}`)

// A job that succeeds before the probe is due was under way when the remote went down. It proves nothing.
const releaseQueue = script(`${times}
if left() > 0 then return -1 end
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
if ARGV[1] == '' then redis.call('HDEL', KEYS[2], 'concurrency') else redis.call('HSET', KEYS[2], 'concurrency', ARGV[1]) end
return 1`)

type Parts = { redis: Redis; prefix: string; queue: Queue; concurrency: number | undefined; log: Log }

/** The hold of one queue. `concurrency` is how many of its jobs may run at once over all workers, outside of a hold. */
export function openHolds({ redis, prefix, queue, concurrency, log }: Parts): Holds {
  const keys = [holdKey(prefix, queue.name), queue.toKey('meta'), queue.toKey('limiter')] as const
  let looked = Number.NEGATIVE_INFINITY

  return {
    async hold(error) {
      const asked = error instanceof Unavailable ? (error.retryAfter ?? 0) : 0
      const refused = error instanceof Refused
      const jitter = 0.75 + Math.random() / 4
      const args = [
        firstProbeMs,
        longestWaitMs,
        Math.min(asked, longestAskedMs),
        jitter,
        inWords(error),
        String(refused),
        unlimited,
        error.remote ?? '',
      ]
      const answer = await holdQueue(redis, keys, args)
      const [wait, probes] = Array.isArray(answer) ? answer.map(Number) : []
      if (wait === undefined || probes === 0) return
      log[refused ? 'error' : 'warn']({ queue: queue.name, probes, ms: wait, reason: inWords(error) }, 'holding')
    },
    async release() {
      if (performance.now() - looked < seldomMs) return
      looked = performance.now()
      const released = await releaseQueue(redis, keys, [concurrency ?? ''])
      if (released === -1) looked = Number.NEGATIVE_INFINITY
      if (released === 1) log.info({ queue: queue.name }, 'going on')
    },
  }
}

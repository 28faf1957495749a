// Adds the jobs of many deliveries to the `deliveries` queue in one step. It writes what BullMQ writes for a job without
// delay, priority and parent (a test compares the two), but for the events, which nobody reads; an `add` for each delivery
// would cost several times as much here and in Redis.
import { createHash } from 'node:crypto'
import type { Delivery } from '#shared/delivery.ts'
import { deliveryJobId, keyPrefix, type QueuePlace } from '#shared/queues.ts'
import type { Redis } from '#shared/redis.ts'

const script = `
local queue, timestamp = ARGV[1], ARGV[2]
for i = 3, #ARGV, 2 do
  local id = ARGV[i]
  local job = queue .. id
  if redis.call('EXISTS', job) == 0 then
    redis.call('HSET', job, 'name', 'delivery', 'data', ARGV[i + 1], 'opts', '{}', 'timestamp', timestamp, 'delay', '0', 'priority', '0')
    redis.call('LPUSH', KEYS[1], id)
  end
end
local paused, most = unpack(redis.call('HMGET', KEYS[2], 'paused', 'concurrency'))
if not paused and not (most and redis.call('LLEN', KEYS[3]) >= tonumber(most)) then redis.call('ZADD', KEYS[4], 0, '0') end
return 1`
const digest = createHash('sha1').update(script).digest('hex')

export type AddJobs = (deliveries: Delivery[]) => Promise<void>

/** Adds `deliveries` in their order; one that is in the queue already stays as it is. All of them are added, or none. */
export function addJobsTo({ redis, prefix }: QueuePlace): AddJobs {
  const queue = `${keyPrefix(prefix)}:deliveries:`
  const keys = ['wait', 'meta', 'active', 'marker'].map((name) => queue + name)

  return async function addJobs(deliveries) {
    const jobs = deliveries.flatMap((delivery) => [deliveryJobId(delivery.id), JSON.stringify(delivery)])
    await run(redis, [...keys, queue, Date.now(), ...jobs])
  }
}

async function run(redis: Redis, args: Array<string | number>): Promise<void> {
  try {
    await redis.evalsha(digest, 4, ...args)
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    await redis.eval(script, 4, ...args)
  }
}

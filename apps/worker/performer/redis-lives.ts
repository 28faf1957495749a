// Whether Redis may have forgotten what was done. That is so when another run of the server answers than before: after a
// failover to a replica that lagged behind, or after a restart with what its disk had.
import { keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'
import { script } from '#shared/queue/redis-script.ts'

/** Whether an effect that was planned at `plannedMs` (by the clock of Redis) may have been done since without Redis knowing it any more. */
export type MayForget = (plannedMs: number) => Promise<boolean>

// The clocks of two servers may differ by so much.
const clocksMs = 10_000

const meet = script(`
local before = redis.call('GET', KEYS[1])
if before ~= ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1])
  local time = redis.call('TIME')
  if before then redis.call('SET', KEYS[2], time[1] * 1000) end
end
return redis.call('GET', KEYS[2]) or '0'`)

/** Looks at which Redis answers whenever the connection is made. The nodes of a Cluster cannot be told from each other here. */
export function watchLives({ redis, prefix }: QueuePlace): MayForget {
  if (redis.isCluster) return () => Promise.resolve(false)
  const keys = [`${keyPrefix(prefix)}:life`, `${keyPrefix(prefix)}:life:since`]

  async function look(): Promise<number> {
    const life = /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1]
    return life === undefined ? 0 : Number(await meet(redis, keys, [life]))
  }

  // If Redis cannot be asked, everything counts as forgotten until the next connection.
  const inDoubt = () => look().catch(() => Number.POSITIVE_INFINITY)
  let since = inDoubt()
  redis.on('ready', () => {
    since = inDoubt()
  })
  return async function mayForget(plannedMs) {
    const begun = await since
    return begun > 0 && plannedMs < begun + clocksMs
  }
}

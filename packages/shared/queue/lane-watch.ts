// Looks after lanes whose head nobody has queued: as where a worker of an earlier release ended the one before it, which queued no
// next. Lanes in which somebody waits are kept from being forgotten. A few of those that stand back are looked at each time, and all
// of them in turn.
import { keepSeconds, movingInLanes } from './lane-script.ts'
import { keyPrefix, type QueuePlace } from './queues.ts'
import { script } from './redis-script.ts'

const everyMs = 5000
const most = 100

const lookScript = script(`${movingInLanes}
local all, queue, from, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local ids = redis.call('ZRANGE', queue .. 'waiting-children', from, from + most - 1)
for _, id in ipairs(ids) do
  local isRead, effect = pcall(cjson.decode, redis.call('HGET', queue .. id, 'data') or '')
  if isRead and type(effect) == 'table' and effect.order then
    local lane = all .. ':lane:' .. effect.sink .. ':' .. effect.order
    redis.call('EXPIRE', lane, ${keepSeconds})
    queueHead(lane, queue)
  end
end
return #ids`)

/** Looks after the lanes of `sink` from now on, every few seconds, until `signal` aborts. Never rejects. */
export function watchLanes({ redis, prefix }: QueuePlace, sink: string, signal: AbortSignal): void {
  let from = 0
  const timer = setInterval(() => void look().catch(() => undefined), everyMs).unref()
  signal.addEventListener('abort', () => clearInterval(timer))

  async function look(): Promise<void> {
    if (redis.status !== 'ready') return
    const looked = Number(await lookScript(redis, [keyPrefix(prefix)], [`${keyPrefix(prefix)}:${sink}:`, from, most]))
    from = looked < most ? 0 : from + most
  }
}

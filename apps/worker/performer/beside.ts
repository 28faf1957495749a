// Keeps jobs apart that must not write beside each other, though they are in different lanes: each decides by what it has found
// where the others write. Who passes the fence leaves its mark. Whoever knew of another mark when it was prepared begins anew.
import type { Queue } from 'bullmq'
import { keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'

/** For how long a job is put off, at most, that must not run beside another one, in ms. */
export const besideWaitMs = 300

const keepSeconds = 24 * 3600

/**
 * Lua to begin a script with: `passes(key, seen, mark)` answers false when somebody has passed since `seen` was the last mark, and
 * else leaves `mark`. Without a key everybody passes.
 */
export const passingBeside = `
local function passes(key, seen, mark)
  if not key then return true end
  local last = redis.call('GET', key) or ''
  if last ~= seen and last ~= mark then return false end
  redis.call('SET', key, mark, 'EX', ${keepSeconds})
  return true
end
`

/** `keys` names where the last mark is, if any job must be kept apart from this one; `ms` is for how long that one may still be at work. */
export type Beside = { keys: string[]; seen: string; mark: (run: string) => string; ms: number }

type Parts = QueuePlace & { queue: Queue; alone: string | undefined; id: string; atWorkOf: (id: string) => string }

/** What the job `id` finds of others that have the same `alone`. The mark is read first: whoever passes after that is noticed. */
export async function lookBeside({ redis, prefix, queue, alone, id, atWorkOf }: Parts): Promise<Beside> {
  const mark = (run: string) => `${run} ${id}`
  if (alone === undefined) return { keys: [], seen: '', mark, ms: 0 }
  const key = `${keyPrefix(prefix)}:last:${queue.name}:${alone}`
  const seen = (await redis.get(key)) ?? ''
  const other = seen.slice(seen.indexOf(' ') + 1)
  const ms = seen === '' || other === id ? 0 : await redis.pttl(atWorkOf(other))
  return { keys: [key], seen, mark, ms: Math.max(0, ms) }
}

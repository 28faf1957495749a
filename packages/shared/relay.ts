// The relay is the ordered, bounded log between worker and ingest: one Redis stream. An entry's stream id is the
// cursor that subscribers see. Each delivery is published once: marker and append are one atomic step.

import { z } from 'zod'
import { keyPrefix } from './queues.ts'
import type { Redis } from './redis.ts'

export type Cursor = string
export type Entry = { cursor: Cursor; message: string }

const form = /^\d{1,15}-\d{1,10}$/

/** Whether `text` has the form of a cursor. It says nothing about whether the relay ever gave it. */
export function isCursor(text: string): boolean {
  return form.test(text)
}

/** Negative, zero or positive as `a` comes before, at or after `b`. */
export function compareCursors(a: Cursor, b: Cursor): number {
  const [aTime = 0, aCount = 0] = a.split('-').map(Number)
  const [bTime = 0, bCount = 0] = b.split('-').map(Number)
  return aTime - bTime || aCount - bCount
}

export type Relay = {
  /**
   * Appends `message` (one line of JSON) unless the delivery `id` was published before; answers its cursor either way.
   * `earlier` is the cursor it had in a relay that was lost: it gets that again, and none when newer ones are there.
   */
  publish: (id: string, message: string, earlier?: Cursor) => Promise<Cursor>
  /**
   * At most `count` entries after the cursor, oldest first: either none more once they have `bytes` together, or after
   * waiting up to `block` ms for the first one.
   */
  read: (after: Cursor, count: number, until: { bytes: number } | { block: number }) => Promise<Entry[]>
  /** The cursor of the newest entry; `0-0` when there is none. */
  newest: () => Promise<Cursor>
}

const publishOnce = `
local cursor = redis.call('GET', KEYS[2])
if cursor then return cursor end
if ARGV[4] == '' then
  cursor = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'message', ARGV[1])
else
  cursor = ARGV[4]
  redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], cursor, 'message', ARGV[1])
end
redis.call('SET', KEYS[2], cursor, 'EX', ARGV[3])
return cursor`

const onePage = `
local entries, size, after = {}, 0, ARGV[1]
while #entries < tonumber(ARGV[2]) and size < tonumber(ARGV[3]) do
  local answer = redis.call('XREAD', 'COUNT', 1, 'STREAMS', KEYS[1], after)
  if not answer then break end
  local entry = answer[1][2][1]
  after = entry[1]
  size = size + #entry[2][2]
  entries[#entries + 1] = { after, entry[2][2] }
end
return entries`

const pageSchema = z.array(z.tuple([z.string(), z.string()]))
const markerSeconds = 8 * 24 * 3600

/** The relay over `redis`. `keep` bounds the stream: about that many messages. A blocking `read` needs a connection of its own. */
export function openRelay({ redis, prefix, keep = 10_000 }: { redis: Redis; prefix: string; keep?: number }): Relay {
  const stream = `${keyPrefix(prefix)}:feed`

  return {
    async publish(id, message, earlier = '') {
      const marker = `${keyPrefix(prefix)}:published:${id}`
      return String(await redis.eval(publishOnce, 2, stream, marker, message, keep, markerSeconds, earlier))
    },
    async read(after, count, until) {
      if ('bytes' in until) {
        const entries = pageSchema.parse(await redis.eval(onePage, 1, stream, after, count, until.bytes))
        return entries.map(([cursor, message]) => ({ cursor, message }))
      }
      const answer = await redis.xread('COUNT', count, 'BLOCK', until.block, 'STREAMS', stream, after)
      return (answer?.[0]?.[1] ?? []).map(([cursor, fields]) => ({ cursor, message: fields[1] ?? '' }))
    },
    async newest() {
      const [entry] = await redis.xrevrange(stream, '+', '-', 'COUNT', 1)
      return entry?.[0] ?? '0-0'
    },
  }
}

// The relay is the ordered, bounded log between worker and ingest: one Redis stream. An entry's stream id is the
// cursor that subscribers see, and each entry names the cursor before it, so that a hole is seen wherever one opens.
// Each delivery is published once: marker and append are one atomic step.
import { z } from 'zod'
import { beginning, type Cursor, justBefore } from '#shared/event/cursor.ts'
import { type About, hiddenKeys, readAbout, writeAbout } from './hidden-projects.ts'
import { keyPrefix } from './queues.ts'
import type { Redis } from './redis.ts'
import { script } from './redis-script.ts'
import { publishOnce } from './relay-script.ts'

/** A place of the chain: between `previous` and `cursor` there is no message. */
export type Link = { cursor: Cursor; previous: Cursor }

/**
 * A message is a text, or that in UTF-8 where it comes from the journal. An entry without a `message` has one that nobody may see any
 * more. `about` is missing where no project is named, or in what an earlier release published.
 */
export type FeedEntry<Message = string> = Link & { message: Message | undefined; about?: About | undefined }

/** What a message is about, and whether its event says that the project is public. */
export type Subject = { about: About; isPublic: boolean }

/** A message of the delivery `id`, one line of JSON. */
export type Publication = { id: string; message: string; subject?: Subject | undefined }

export type Relay = {
  /**
   * Appends `message` (one line of JSON) unless the delivery `id` was published before; answers its place either way.
   * `earlier` is the place it had in a relay that was lost: it gets that again, and none when newer ones are there. A
   * project that was hidden by an event received earlier, and is public, is shown again.
   */
  publish: (id: string, message: string, earlier?: Link, subject?: Subject) => Promise<Link>
  /** Whether the delivery `id` was published, as far as the relay remembers. */
  has: (id: string) => Promise<boolean>
  /**
   * At most `count` entries after the cursor, oldest first: either none more once they have `bytes` together, or after
   * waiting up to `block` ms for the first one.
   */
  read: (after: Cursor, count: number, until: { bytes: number } | { block: number }) => Promise<FeedEntry[]>
  /** The newest cursor there is; `0-0` when there is none. */
  newest: () => Promise<Cursor>
}

/** The key that remembers that the delivery `id` was published. */
export const publishedKey = (prefix: string, id: string) => `${keyPrefix(prefix)}:published:${id}`

/** The keys of the stream, and of its head. */
export function relayKeys(prefix: string): [stream: string, head: string] {
  return [`${keyPrefix(prefix)}:feed`, `${keyPrefix(prefix)}:feed:head`]
}

/** What a message is about, as `publish` of the script takes it: a text, and of a public project when it was received and its names. */
export function aboutIn(subject: Subject | undefined): { about: string; shown: Array<string | number> } {
  const shown = subject?.isPublic === true ? [subject.about.receivedAt, ...subject.about.names] : []
  return { about: subject ? writeAbout(subject.about) : '', shown }
}

const onePage = script(`
local entries, size, after = {}, 0, ARGV[1]
while #entries < tonumber(ARGV[2]) and size < tonumber(ARGV[3]) do
  local answer = redis.call('XREAD', 'COUNT', 1, 'STREAMS', KEYS[1], after)
  if not answer then break end
  local entry = answer[1][2][1]
  after = entry[1]
  size = size + #entry[2][2]
  entries[#entries + 1] = entry
end
return entries`)

const linkSchema = z.tuple([z.string(), z.string()])
const pageSchema = z.array(z.tuple([z.string(), z.array(z.string())]))

type Parts = {
  redis: Redis
  prefix: string
  /** Bounds the stream: about that many messages. */
  keep?: number
  /**
   * Asked when the relay is empty: the newest cursor there ever was as far as the journal knows, `0-0` for none. When it
   * rejects, or tells one, messages may have been lost with the relay, and the chain begins anew, after a hole.
   */
  known?: () => Promise<Cursor>
}

/** The relay over `redis`. A blocking `read` needs a connection of its own. */
export function openRelay({ redis, prefix, keep = 10_000, known = () => Promise.resolve(beginning) }: Parts): Relay {
  const [stream, head] = relayKeys(prefix)

  return {
    async publish(id, message, earlier, subject) {
      const marker = publishedKey(prefix, id)
      const place = [earlier?.cursor ?? '', earlier?.previous ?? '']
      const { about, shown } = aboutIn(subject)
      const keys = [stream, marker, head, ...hiddenKeys(prefix)]
      const run = (floor: string) => publishOnce(redis, keys, [message, keep, ...place, floor, about, ...shown])
      const published = (await run('')) ?? (await run(await known().catch(() => 'unknown')))
      const [cursor, previous] = linkSchema.parse(String(published).split(' '))
      return { cursor, previous }
    },
    has: async (id) => (await redis.exists(publishedKey(prefix, id))) === 1,
    async read(after, count, until) {
      if ('bytes' in until) return pageSchema.parse(await onePage(redis, [stream], [after, count, until.bytes])).map(entryOf)
      const answer = await redis.xread('COUNT', count, 'BLOCK', until.block, 'STREAMS', stream, after)
      return (answer?.[0]?.[1] ?? []).map(entryOf)
    },
    async newest() {
      const told = await redis.get(head)
      if (told !== null) return told
      const [entry] = await redis.xrevrange(stream, '+', '-', 'COUNT', 1)
      return entry?.[0] ?? beginning
    },
  }
}

function entryOf([cursor, [, message = '', , previous, , about]]: [string, string[]]): FeedEntry {
  return { cursor, previous: previous || justBefore(cursor), message, about: about ? readAbout(about) : undefined }
}

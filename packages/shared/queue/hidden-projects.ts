// Projects whose newest event says that they are not public: what was published of them before is not sent again. They
// stand in a sorted set in Redis by when that event came; a log tells every process what changes. The newest event decides:
// the router hides a project, and publishing a later event that says "public" shows it again, in the same step.
import { z } from 'zod'
import type { GitLabEvent } from '#shared/event/event.ts'
import { keyPrefix } from './queues.ts'
import type { Redis } from './redis.ts'
import { script } from './redis-script.ts'

/** Which project a message is about, by its id and its path as far as they are known, and when (ms) the delivery came. */
export type About = { receivedAt: number; names: string[] }

export type HiddenProjects = {
  /** Notes that an event says that the project is not public. */
  hide: (about: About) => Promise<void>
  /** The hidden projects by name: what was received of one until that time (ms) is hidden. Rejects while Redis is away. */
  all: () => Promise<Map<string, number>>
  /** What changed after `place` in the log, waiting up to `block` ms for it; 0 means not hidden. */
  changes: (place: string, block: number) => Promise<{ place: string; changes: Array<[name: string, until: number]> }>
  /** The end of the log. */
  newest: () => Promise<string>
}

const longestPath = 500
const most = 100_000
const longestLog = 10_000

/** The project of `event`, as `About` has it; undefined when it names none. */
export function aboutOf({ project, receivedAt }: Pick<GitLabEvent, 'project' | 'receivedAt'>): About | undefined {
  if (!project) return undefined
  const names = [...(project.id === undefined ? [] : [`#${project.id}`]), project.path.slice(0, longestPath).toLowerCase()]
  return { receivedAt: Date.parse(receivedAt), names }
}

/** `about` as a text, and back. */
export function writeAbout({ receivedAt, names }: About): string {
  return JSON.stringify([receivedAt, ...names])
}

const writtenSchema = z.tuple([z.number()], z.string())

export function readAbout(text: string): About {
  const [receivedAt, ...names] = writtenSchema.parse(JSON.parse(text))
  return { receivedAt, names }
}

/** Lua: shows the projects `names` again, if they were hidden before `receivedAt`. */
export const showAgain = `
local function showAgain(hidden, log, receivedAt, names)
  for _, name in ipairs(names) do
    local since = redis.call('ZSCORE', hidden, name)
    if since and tonumber(since) < tonumber(receivedAt) then
      redis.call('ZREM', hidden, name)
      redis.call('XADD', log, 'MAXLEN', '~', ${longestLog}, '*', 'name', name, 'until', 0)
    end
  end
end
`

/** Lua: hides the projects `names` of an event that was received at `at`. The longest silent go when there are too many. */
export const hiding = `
local function hide(hidden, log, at, names)
  for _, name in ipairs(names) do
    if redis.call('ZADD', hidden, 'GT', 'CH', at, name) == 1 then
      redis.call('XADD', log, 'MAXLEN', '~', ${longestLog}, '*', 'name', name, 'until', at)
    end
  end
  if redis.call('ZCARD', hidden) > ${most} then redis.call('ZREMRANGEBYRANK', hidden, 0, -${most} - 1) end
end
`

const hideScript = script(`${hiding}hide(KEYS[1], KEYS[2], ARGV[1], {unpack(ARGV, 2)})`)

/** The keys of the set and of its log. */
export function hiddenKeys(prefix: string): [hidden: string, log: string] {
  return [`${keyPrefix(prefix)}:hidden`, `${keyPrefix(prefix)}:hidden:log`]
}

/** At most 100,000 names are kept, those whose projects were silent longest go first. A blocking `changes` needs a connection of its own. */
export function openHiddenProjects({ redis, prefix }: { redis: Redis; prefix: string }): HiddenProjects {
  const [hidden, log] = hiddenKeys(prefix)
  return {
    async hide({ receivedAt, names }) {
      await hideScript(redis, [hidden, log], [receivedAt, ...names])
    },
    async all() {
      const found = new Map<string, number>()
      let cursor = '0'
      do {
        const [next, flat] = await redis.zscan(hidden, cursor, 'COUNT', 1000)
        for (let index = 0; index + 1 < flat.length; index += 2) found.set(flat[index] ?? '', Number(flat[index + 1]))
        cursor = next
      } while (cursor !== '0')
      return found
    },
    async changes(place, block) {
      const answer = await redis.xread('COUNT', 1000, 'BLOCK', block, 'STREAMS', log, place)
      const entries = answer?.[0]?.[1] ?? []
      const changes = entries.map(([, [, name = '', , until]]): [string, number] => [name, Number(until)])
      return { place: entries.at(-1)?.[0] ?? place, changes }
    },
    async newest() {
      const [entry] = await redis.xrevrange(log, '+', '-', 'COUNT', 1)
      return entry?.[0] ?? '0-0'
    },
  }
}

// Which processes of the service are there, and how each is doing: every few seconds each writes a line about itself into
// Redis, where `bin/ops status` reads it. Nothing depends on it: while Redis is away nobody waits, and nothing is lost.
import { hostname } from 'node:os'
import { z } from 'zod'
import { readJson } from '#shared/process/json.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import project from '../../../package.json' with { type: 'json' }

const factsSchema = z.object({
  app: z.enum(['ingest', 'worker']),
  host: z.string(),
  pid: z.number(),
  version: z.string(),
  /** When it started. */
  since: z.iso.datetime(),
  /**
   * What waits in its spool, in how many bytes, and since when; how many files cannot be read, with the reason for one; and how
   * many bytes are free there.
   */
  spool: z
    .object({
      deliveries: z.number(),
      bytes: z.number(),
      since: z.iso.datetime().nullable(),
      unreadable: z.object({ files: z.number(), reason: z.string() }).optional(),
      free: z.number().optional(),
    })
    .optional(),
  feed: z.object({ subscribers: z.number() }).optional(),
  /** Where it can be asked, by whoever reaches its host. */
  address: z.url({ protocol: /^http$/ }).optional(),
  sinks: z.array(z.string()).optional(),
  /** When it asked each remote last, and why that could not answer. */
  remotes: z.record(z.string(), z.object({ at: z.iso.datetime(), trouble: z.string().nullable() })).optional(),
  /** What GitLab sent it that is not known, since it started: a field, what it is, and what was expected. */
  unexpected: z
    .array(
      z.object({
        field: z.string(),
        is: z.string(),
        expected: z.string(),
        kind: z.string(),
        delivery: z.string(),
        since: z.string(),
      }),
    )
    .optional(),
})

/** What a process tells about itself. Nothing secret belongs in here. */
export type ProcessFacts = z.output<typeof factsSchema>

/** `seen` is when it wrote last, ISO 8601 by the clock of Redis; `silent` that this is so long ago that others do its work. */
export type Presence = ProcessFacts & { id: string; seen: string; silent: boolean }

const everyMs = 3000
const silentMs = 10_000
const forgetMs = 60_000
const keepMs = 86_400_000

// Whoever has not written for a minute is gone. By the clock of Redis, so that those of the processes do not matter. While
// Redis takes nothing nobody can write, so it is kept for a day where ingest was.
const announceScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], 0, now - ARGV[3])
for _, id in ipairs(gone) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])`

const keysOf = (prefix: string) => [`${keyPrefix(prefix)}:present`, `${keyPrefix(prefix)}:present:facts`] as const

type Parts = {
  redis: Redis
  prefix: string
  app: ProcessFacts['app']
  address?: string
  /** Asked each time: what changes while the process runs. */
  more: () => Promise<Pick<ProcessFacts, 'spool' | 'feed' | 'sinks' | 'remotes' | 'unexpected'>>
}

/** Announces this process from now on; to be called when it stops. Never rejects, and never waits for Redis. */
export function announce({ redis, prefix, app, address, more }: Parts): () => void {
  const own = {
    app,
    host: hostname(),
    pid: process.pid,
    version: project.version,
    since: new Date().toISOString(),
    ...(address !== undefined && { address }),
  }
  const id = `${own.host}/${own.pid}/${own.since}`
  let isWriting = false

  async function write(): Promise<void> {
    if (isWriting || redis.status !== 'ready') return
    isWriting = true
    try {
      const facts: ProcessFacts = { ...own, ...(await more()) }
      await redis.eval(announceScript, 2, ...keysOf(prefix), id, JSON.stringify(facts), forgetMs, keepMs)
    } catch {
      // It is told again in a moment.
    } finally {
      isWriting = false
    }
  }

  const timer = setInterval(() => void write(), everyMs)
  const onReady = () => void write()
  redis.on('ready', onReady)
  onReady()
  return function leave() {
    clearInterval(timer)
    redis.off('ready', onReady)
    if (redis.status !== 'ready') return
    const [present, facts] = keysOf(prefix)
    void redis
      .multi()
      .zrem(present, id)
      .hdel(facts, id)
      .exec()
      .catch(() => undefined)
  }
}

/**
 * The processes that wrote within the last minute, or within the day if `longAgo`, the longest there first. Rejects when Redis
 * does not answer.
 */
export async function present({ redis, prefix }: { redis: Redis; prefix: string }, longAgo = false): Promise<Presence[]> {
  const [presentKey, factsKey] = keysOf(prefix)
  const facts = await redis.hgetall(factsKey)
  const seen = await redis.zrange(presentKey, '0', '-1', 'WITHSCORES')
  const now = Number((await redis.time())[0]) * 1000
  const times = new Map<string, number>()
  for (let at = 0; at < seen.length; at += 2) times.set(seen[at] ?? '', Number(seen[at + 1]))
  return Object.entries(facts)
    .flatMap(([id, text]) => {
      const read = factsSchema.safeParse(readJson(text))
      const time = times.get(id)
      if (!read.success || time === undefined || (now - time > forgetMs && !longAgo)) return []
      return [{ id, ...read.data, seen: new Date(time).toISOString(), silent: now - time > silentMs }]
    })
    .toSorted((a, b) => a.since.localeCompare(b.since))
}

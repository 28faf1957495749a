// Watches, all through a round, which effects are under way, as Redis has them at one moment after another. A job that asks for
// its turn, and has not got it yet, is none of them.
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { inLane } from '#shared/queue/lane-script.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { script } from '#shared/queue/redis-script.ts'
import { oneByOne, sinkNames } from '#sinks/registry.ts'
import { overlaps } from './oracle.ts'

const everyMs = 10

const look = script(`
local found = {}
for _, queue in ipairs(ARGV) do
  for _, id in ipairs(redis.call('LRANGE', queue .. 'active', 0, -1)) do
    local data, ended, name, turn = unpack(redis.call('HMGET', queue .. id, 'data', 'ended', 'name', 'turn'))
    if data and (name == '${inLane}' or turn) then found[#found + 1] = {queue .. cjson.decode(data).order, id, ended and 1 or 0} end
  end
end
return found`)

const foundSchema = z.array(z.tuple([z.string(), z.string(), z.number()]))

/** Puts into `wrong` what of one lane is under way at once, until it is told to stop. */
export function watchUnderWay(redis: Redis, prefix: string, wrong: string[]): () => void {
  const queues = sinkNames.filter((name) => !oneByOne.has(name)).map((name) => `${keyPrefix(prefix)}:${name}:`)
  const told = new Set<string>()
  let isOver = false

  async function watch(): Promise<void> {
    while (!isOver) {
      const active = foundSchema.parse(await look(redis, [keyPrefix(prefix)], queues).catch(() => []))
      for (const one of overlaps(active.map(([lane, id, ended]) => ({ lane, id, ended: ended === 1 })))) {
        if (!told.has(one)) wrong.push(`under way at once in ${one}`)
        told.add(one)
      }
      await pause(everyMs)
    }
  }

  void watch()
  return () => {
    isOver = true
  }
}

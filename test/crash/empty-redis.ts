// Redis loses all it has under everybody who works on it: at once, or by coming back with nothing.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { keyPrefix } from '#shared/queue/queues.ts'
import { until } from '../support/until.ts'
import type { Actor } from './actors.ts'
import type { Random } from './random.ts'

type Parts = { actor: Actor; directory: string; redis: Redis; prefix: string; random: Random; note: (text: string) => void }

/** Empties the Redis of `actor`, whose data is in `directory`, when a worker has set up what it needs there. */
export async function emptyRedis({ actor, directory, redis, prefix, random, note }: Parts): Promise<void> {
  await until(() => redis.exists(`${keyPrefix(prefix)}:set-up`), 'a worker has set up Redis')
  if (random.chance(0.5)) {
    note('flush redis')
    await redis.flushall()
    return
  }
  note('redis comes back empty')
  await actor.kill()
  await rm(join(directory, 'appendonlydir'), { recursive: true })
  await actor.start()
}

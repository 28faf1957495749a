// Effects that an operator let go for good. A delivery that comes again, from the journal, from a file or from GitLab, brings
// them no more. The journal knows them all; the latest stand in a sorted set in Redis too, where they are looked up.
import type { Effect } from '#shared/event/effect.ts'
import { keyPrefix } from './queues.ts'
import type { Redis } from './redis.ts'

type Place = { redis: Redis; prefix: string }

const most = 100_000
const letGoKey = (prefix: string) => `${keyPrefix(prefix)}:let-go`

/** Remembers the effects with these ids; at most 100,000 are kept, those let go first are forgotten first. */
export async function rememberLetGo({ redis, prefix }: Place, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  const key = letGoKey(prefix)
  const now = Date.now()
  await redis
    .multi()
    .zadd(key, ...ids.flatMap((id) => [now, id]))
    .zremrangebyrank(key, 0, -most - 1)
    .exec()
}

/** Those of `effects` that were not let go. Only what may have been there before is looked up. */
export async function withoutLetGo({ redis, prefix }: Place, effects: Effect[]): Promise<Effect[]> {
  const ids = effects.flatMap(({ id, again }) => (again === true ? [id] : []))
  if (ids.length === 0) return effects
  const scores = await redis.zmscore(letGoKey(prefix), ids)
  const letGo = new Set(ids.filter((_, at) => typeof scores[at] === 'string'))
  return effects.filter(({ id }) => !letGo.has(id))
}

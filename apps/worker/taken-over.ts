// A secret that was taken over from its file is tried at once: what was said of the one before must not stand, and what waits
// for it must not wait any longer.
import type { Queue } from 'bullmq'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { askAgain, readHold } from '#shared/queue/hold.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { lookAtStart, type TokenLook } from '#sinks/gitlab/token/look.ts'

type Parts = { redis: Redis; prefix: string; queues: Queue[]; token: TokenLook | undefined; log: Log; signal: AbortSignal }

/** To be told the name of each secret that was taken over. */
export function tryAtOnce({ redis, prefix, queues, token, log, signal }: Parts): (name: string) => void {
  async function ask(name: string): Promise<void> {
    if (name === 'GITLAB_TOKEN' && token) await lookAtStart(token, signal)
    for (const queue of queues) if ((await readHold(redis, prefix, queue.name))?.refused) await askAgain(redis, prefix, queue)
  }
  return (name) =>
    void ask(name).catch((error: unknown) => log.warn({ secret: name, reason: inWords(error) }, 'could not try the new secret'))
}

// Scripts of ours that run inside Redis, each in one step.
import { createHash } from 'node:crypto'
import type { Redis } from './redis.ts'

export type Script = (redis: Redis, keys: readonly string[], args: Array<string | number>) => Promise<unknown>

/** A script by the digest of its text, which Redis is told only when it does not know it. */
export function script(text: string): Script {
  const digest = createHash('sha1').update(text).digest('hex')
  // `call` takes a list: a function cannot be given some hundred thousand arguments, and a batch of effects may have so many.
  return async function run(redis, keys, args) {
    const rest = [keys.length, ...keys, ...args]
    try {
      return await redis.call('evalsha', [digest, ...rest])
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await redis.call('eval', [text, ...rest])
    }
  }
}

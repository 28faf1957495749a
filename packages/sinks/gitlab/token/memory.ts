// What is known of a remote's token, in Redis, where every process and every command of an operator finds it.

import { keyPrefix } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import type { TokenFacts } from '../token.ts'

export type KnownToken = TokenFacts & { checkedAt: string }

type Place = { redis: Redis; prefix: string }

const tokenKey = (prefix: string) => `${keyPrefix(prefix)}:token:gitlab`
const daysMs = 86_400_000
const warnings = [1, 7, 14, 30] as const
const warnedSeconds = 90 * 24 * 3600

export async function rememberToken({ redis, prefix }: Place, { name, scopes, active, expiresAt = '' }: TokenFacts): Promise<void> {
  const checked_at = new Date().toISOString()
  await redis.hset(tokenKey(prefix), { name, scopes: scopes.join(','), active: String(active), expires_at: expiresAt, checked_at })
}

/** What was found out last; undefined when nobody has looked yet. */
export async function knownToken({ redis, prefix }: Place): Promise<KnownToken | undefined> {
  const { name = '', scopes = '', active, expires_at, checked_at } = await redis.hgetall(tokenKey(prefix))
  if (checked_at === undefined) return undefined
  return {
    name,
    scopes: scopes.split(',').filter((scope) => scope !== ''),
    active: active === 'true',
    expiresAt: expires_at || undefined,
    checkedAt: checked_at,
  }
}

/** In whole days, UTC; negative when it is over. */
export function daysLeft(expiresAt: string, now = Date.now()): number {
  return Math.round((Date.parse(expiresAt) - (now - (now % daysMs))) / daysMs)
}

/** Whether it is time to warn that a token lives for so many `days` more: at 30, 14, 7 and 1, once each over all workers. */
export async function shallWarn({ redis, prefix }: Place, expiresAt: string, days: number): Promise<boolean> {
  const reached = warnings.find((limit) => days <= limit)
  if (reached === undefined) return false
  return (await redis.set(`${tokenKey(prefix)}:warned:${expiresAt}:${reached}`, '1', 'EX', warnedSeconds, 'NX')) === 'OK'
}

// Looks at GitLab's access token once a day, and at the start: writes down when it expires, and warns in time.

import { Gauge } from 'prom-client'
import { inWords, Refused } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'
import type { Redis } from '#shared/queue/redis.ts'
import type { GitLabApi } from '../api.ts'
import { type TokenFacts, tokenFacts } from '../token.ts'
import { daysLeft, knownToken, rememberToken, shallWarn } from './memory.ts'

type Parts = { api: GitLabApi; redis: Redis; prefix: string }

/** `refused` says in GitLab's words why the token is not accepted. */
export type Checked = TokenFacts & { refused?: string }

/** Asks GitLab for the token and writes down what it says. Throws what `openGitLabApi` says, but for a token that is not accepted. */
export async function checkToken({ api, ...place }: Parts, signal: AbortSignal): Promise<Checked> {
  const facts = await tokenFacts(api, signal).catch(async (error: unknown): Promise<Checked> => {
    if (!(error instanceof Refused)) throw error
    const { name = '', scopes = [], expiresAt } = (await knownToken(place)) ?? {}
    return { name, scopes, expiresAt, active: false, refused: inWords(error) }
  })
  await rememberToken(place, facts)
  return facts
}

export type TokenLook = Parts & { log: Log }

/** Checks the token, and tells the log when there is something to do. Throws as `checkToken` does. */
export async function lookAtToken(
  { log, ...parts }: TokenLook,
  signal: AbortSignal,
): Promise<{ active: boolean; expiresAt: string | undefined }> {
  const { name, active, expiresAt, refused } = await checkToken(parts, signal)
  const days = expiresAt === undefined ? Number.POSITIVE_INFINITY : daysLeft(expiresAt)
  const said = { remote: 'gitlab', name, expiresAt, ...(refused !== undefined && { reason: refused }) }
  if (!active || days <= 0) log.error(said, 'token is expired or revoked')
  else if (expiresAt !== undefined && (await shallWarn(parts, expiresAt, days)))
    log.warn({ ...said, days }, 'token expires soon: bin/ops token rotate --reason …')
  return { active, expiresAt }
}

/** Looks once, whatever comes of it, for the start of a worker. */
export async function lookAtStart(parts: TokenLook, signal: AbortSignal): Promise<void> {
  await lookAtToken(parts, signal).catch((error: unknown) => {
    if (!signal.aborted) parts.log.warn({ remote: 'gitlab', reason: inWords(error) }, 'could not look at the token')
  })
}

/** The metric of what was found out last. `redis` must be a connection that answers or fails at once. */
export function watchToken({ redis, prefix, metrics }: { redis: Redis; prefix: string; metrics: Registry }): void {
  new Gauge({
    name: 'gitlab_webhooks_token_days_left',
    help: 'For how many days the access token for a remote is still good; absent when that is unknown, or when it never expires.',
    labelNames: ['remote'],
    registers: [metrics],
    async collect() {
      this.reset()
      const known = redis.status === 'ready' ? await knownToken({ redis, prefix }).catch(() => undefined) : undefined
      if (known?.expiresAt !== undefined) this.set({ remote: 'gitlab' }, known.active ? daysLeft(known.expiresAt) : 0)
    },
  })
}

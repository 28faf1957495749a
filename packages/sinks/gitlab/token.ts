// What GitLab tells of our own access token (`/personal_access_tokens/self`, GitLab 15.5), and how it is exchanged for a new
// one (GitLab 16.10). https://docs.gitlab.com/api/personal_access_tokens/
import { z } from 'zod'
import type { GitLabApi } from './api.ts'

/** `expiresAt` is a day, `YYYY-MM-DD`, at whose beginning (UTC) the token is dead; undefined when it never is. */
export type TokenFacts = { name: string; scopes: string[]; active: boolean; expiresAt: string | undefined }

const tokenSchema = z
  .object({
    name: z.string().default(''),
    scopes: z.array(z.string()).default([]),
    active: z.boolean().default(true),
    expires_at: z.string().nullish(),
  })
  .transform(({ expires_at, ...rest }): TokenFacts => ({ ...rest, expiresAt: expires_at ?? undefined }))
const rotatedSchema = z.intersection(z.object({ token: z.string().min(1) }), tokenSchema)

const path = '/personal_access_tokens/self'
const rotationMs = 60_000

/** The token in use. Throws `Refused` when it is expired or revoked, else what `openGitLabApi` says. */
export function tokenFacts({ get }: Pick<GitLabApi, 'get'>, signal: AbortSignal): Promise<TokenFacts> {
  return get(path, tokenSchema, signal)
}

/**
 * Exchanges the token in use for one that lives until the day `expiresAt`. The old one is dead at once, and a second try
 * with it kills the new one: never to be repeated. Throws `Permanent` or `Refused` when nothing was changed; after anything
 * else nobody knows.
 */
export async function rotateToken({ post, read }: Pick<GitLabApi, 'post' | 'read'>, expiresAt: string, signal: AbortSignal) {
  const { token, ...facts } = read(
    await post(`${path}/rotate`, { expires_at: expiresAt }, signal, { timeLimitMs: rotationMs }),
    rotatedSchema,
  )
  return { token, facts }
}

// `token` and `token rotate`: how long GitLab's access token is still good, and a new one in its place.
import { z } from 'zod'
import { inWords, Permanent } from '#shared/process/errors.ts'
import { redactor } from '#shared/process/log.ts'
import { type GitLabApi, openGitLabApi } from '#sinks/gitlab/api.ts'
import { checkToken } from '#sinks/gitlab/token/look.ts'
import { daysLeft, knownToken, rememberToken } from '#sinks/gitlab/token/memory.ts'
import { LostAnswer, type Rotated, rotate } from '#sinks/gitlab/token/rotate.ts'
import type { OpsContext } from '../context.ts'

export type TokenState = {
  remote: 'gitlab'
  name: string
  active: boolean
  scopes: string[]
  expiresAt: string | null
  daysLeft: number | null
  checkedAt: string
  /** Why GitLab did not tell it anew, or what it has against the token. */
  problem: string | null
}

/** GitLab's API with the configured token; throws when none is. */
export function gitlabOf({ config: { gitlabUrl, gitlabToken } }: Pick<OpsContext, 'config'>): GitLabApi {
  if (gitlabToken === undefined) throw new Permanent('GITLAB_TOKEN, or GITLAB_TOKEN_FILE, is needed for this.')
  return openGitLabApi({ url: gitlabUrl, token: gitlabToken, redact: redactor([gitlabToken()]) })
}

/** The token as GitLab tells now, or else as it was when somebody looked last; undefined when nobody knows. */
export async function tokenState(context: OpsContext): Promise<TokenState | undefined> {
  const problem = context.config.gitlabToken === undefined ? undefined : await look(context)
  const known = await knownToken(context)
  if (!known) return undefined
  const { expiresAt = null, ...rest } = known
  return { remote: 'gitlab', ...rest, expiresAt, daysLeft: expiresAt === null ? null : daysLeft(expiresAt), problem: problem ?? null }
}

// Why GitLab did not tell, if so.
async function look({ redis, prefix, ...context }: OpsContext): Promise<string | undefined> {
  try {
    return (await checkToken({ api: gitlabOf(context), redis, prefix }, new AbortController().signal)).refused
  } catch (error) {
    return inWords(error)
  }
}

const dayMs = 86_400_000
const inAYear = () => {
  const day = new Date()
  day.setUTCFullYear(day.getUTCFullYear() + 1)
  return new Date(day.getTime() - dayMs).toISOString().slice(0, 10)
}

/** Until when a new token shall be good: a day in UTC, in a year less a day unless somebody says otherwise. */
export const expirySchema = z.iso
  .date({ error: 'expected a day such as 2027-01-31', abort: true })
  .refine((day) => daysLeft(day) > 0, 'expected a day after today')
  .default(inAYear)

type Options = { expiresAt: string; reason: string; print: boolean; show: (token: string) => void }

/** Rotates the token, and writes down that it was tried. Throws what `rotate` says. */
export async function rotateToken(context: OpsContext, { expiresAt, reason, print, show }: Options): Promise<Rotated> {
  const { redis, prefix, config } = context
  const path = print ? undefined : config.gitlabTokenFile
  const record = (more: object, count: number) => context.record('token rotate', reason, { remote: 'gitlab', expiresAt, ...more }, count)
  const rotated = await rotate({ api: gitlabOf(context), redis, prefix, path, show }, expiresAt).catch(async (error: unknown) => {
    if (error instanceof LostAnswer) await record({ lost: true }, 0).catch(() => undefined)
    throw error
  })
  // The new token is where it belongs: from here on nothing fails any more.
  const { facts, file, problems } = rotated
  for (const write of [() => rememberToken(context, facts), () => record({ name: facts.name, stored: file ?? 'printed' }, 1)])
    await write().catch((error: unknown) => problems.push(`It could not be written down: ${inWords(error)}.`))
  return rotated
}

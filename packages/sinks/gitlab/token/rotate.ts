// Exchanges GitLab's access token for a new one. Everything that can go wrong is tried before; then GitLab is asked once,
// and never again, since a second time would kill the new token as well; and what it gives is stored before all else.
import { randomUUID } from 'node:crypto'
import { inWords, Permanent, Refused } from '#shared/process/errors.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import type { GitLabApi } from '../api.ts'
import { rotateToken, type TokenFacts, tokenFacts } from '../token.ts'
import { prepareTokenFile, type TokenFile } from './file.ts'

type Parts = {
  api: GitLabApi
  redis: Redis
  prefix: string
  /** The file that gets the new token. */
  path: string | undefined
  /** Gets the new token where there is no file, or the file will not take it. */
  show: (token: string) => void
}

/** `file` has the new token; without one it was shown. `problems` are what went wrong all the same. */
export type Rotated = { facts: TokenFacts; file: string | undefined; problems: string[] }

/** GitLab was asked, and nobody knows whether it did it. `before` is the token as it was. */
export class LostAnswer extends Error {
  override name = 'LostAnswer'
  readonly before: TokenFacts
  constructor(before: TokenFacts, cause: unknown) {
    super(`GitLab was asked for a new token, and its answer was lost: ${inWords(cause)}`, { cause })
    this.before = before
  }
}

/**
 * Rotates the token; the new one lives until the day `expiresAt`. Throws `Permanent` or another error when nothing was
 * changed, `LostAnswer` when that is not known.
 */
export async function rotate({ api, redis, prefix, path, show }: Parts, expiresAt: string): Promise<Rotated> {
  const { signal } = new AbortController()
  await using _ = await onlyOne(redis, prefix)
  const file = path === undefined ? undefined : await ready(path)
  try {
    const before = await tokenFacts(api, signal)
    const reason = whyNot(before)
    if (reason !== undefined) throw new Permanent(reason)
    const { token, facts } = await ask(api, before, expiresAt, signal)
    const problem = await store(token, file, show)
    return problem === undefined ? { facts, file: path, problems: [] } : { facts, file: undefined, problems: [problem] }
  } catch (error) {
    await file?.leave()
    throw error
  }
}

function whyNot({ active, scopes }: TokenFacts): string | undefined {
  if (!active) return 'The token in use is not active any more: make a new one in GitLab.'
  if (scopes.includes('api') || scopes.includes('self_rotate')) return undefined
  return `The token's scopes do not allow it: ${scopes.join(', ') || 'none'}; api or self_rotate is needed.`
}

async function ready(path: string): Promise<TokenFile> {
  return prepareTokenFile(path).catch((error: unknown) => {
    throw new Permanent(`The new token could not be stored: ${inWords(error)}. With --print it is printed instead.`)
  })
}

async function ask(api: GitLabApi, before: TokenFacts, expiresAt: string, signal: AbortSignal) {
  try {
    return await rotateToken(api, expiresAt, signal)
  } catch (error) {
    if (error instanceof Permanent || error instanceof Refused) throw error
    throw new LostAnswer(before, error)
  }
}

// Why the file did not take it after all; then it is shown.
async function store(token: string, file: TokenFile | undefined, show: (token: string) => void): Promise<string | undefined> {
  try {
    if (!file) show(token)
    await file?.write(token)
    return undefined
  } catch (error) {
    show(token)
    await file?.leave()
    return `The file could not be written: ${inWords(error)}.`
  }
}

const lockMs = 5 * 60_000
const unlock = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

// Two operators must not rotate at once: the second would do it with a token that the first has just killed.
async function onlyOne(redis: Redis, prefix: string): Promise<AsyncDisposable> {
  const key = `${keyPrefix(prefix)}:token:gitlab:lock`
  const mine = randomUUID()
  if ((await redis.set(key, mine, 'PX', lockMs, 'NX')) !== 'OK') throw new Permanent('Somebody else is rotating this token right now.')
  return {
    async [Symbol.asyncDispose]() {
      await redis.eval(unlock, 1, key, mine).catch(() => undefined)
    },
  }
}

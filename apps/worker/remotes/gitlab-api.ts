// How GitLab's REST API, version 4, is asked, and what its answers mean. Lists are followed to their end by the `Link`
// header, within bounds.
import { z } from 'zod'
import { Permanent, Refused, Unavailable } from '#shared/errors.ts'
import { readJson } from '#shared/json.ts'
import type { Secret } from '#shared/secret.ts'
import { type Answer, type Call, exchange, jsonIn } from './http.ts'

export type GitLabApi = {
  /** What is at `path` (`/user`), of the shape of `schema`. */
  get: <T>(path: string, schema: z.ZodType<T>, signal: AbortSignal) => Promise<T>
  /** All items of a list, over at most 150 pages. */
  list: <T>(path: string, item: z.ZodType<T>, signal: AbortSignal) => Promise<T[]>
  /** Sends `body` as JSON, once; `timeLimit` in ms, `before` as in `exchange`. */
  post: (path: string, body: object, signal: AbortSignal, how?: Pick<Call, 'timeLimit' | 'before'>) => Promise<Answer>
  /** What an answer says, of the shape of `schema`. */
  read: <T>(answer: Answer, schema: z.ZodType<T>) => T
}

const mostPages = 150

/**
 * The API at `url` with an access token. Calls throw `Unavailable` (down), `Refused` (token not accepted), `Permanent` (no
 * such thing, not allowed) or a plain Error (worth another attempt).
 */
export function openGitLabApi({ url, token, redact }: { url: string; token: Secret; redact: (text: string) => string }): GitLabApi {
  const root = `${url}/api/v4`
  const headers = () => ({ authorization: `Bearer ${token()}`, accept: 'application/json' })

  async function page<T>(address: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<{ value: T; next: string | undefined }> {
    const answer = await exchange('GitLab', address, { headers: headers(), signal })
    return { value: read(answer, schema), next: nextPage(answer.headers, address) }
  }

  function read<T>(answer: Answer, schema: z.ZodType<T>): T {
    const { status, text } = answer
    if (status >= 300 || status < 200) throw meaning(status, redact(text))
    const value = jsonIn(answer)
    if (value === undefined) throw new Unavailable(`GitLab answers ${status} without JSON, or with half of it.`)
    const result = schema.safeParse(value)
    if (!result.success) throw new Error(`GitLab answers ${status} in an unknown shape: ${z.prettifyError(result.error)}`)
    return result.data
  }

  return {
    read,
    get: async (path, schema, signal) => (await page(`${root}${path}`, schema, signal)).value,
    async list<T>(path: string, item: z.ZodType<T>, signal: AbortSignal) {
      const found: T[] = []
      let address: string | undefined = `${root}${path}`
      for (let number = 0; number < mostPages && address !== undefined; number++) {
        const { value, next }: { value: T[]; next: string | undefined } = await page(address, z.array(item), signal)
        found.push(...value)
        address = next
      }
      return found
    },
    post: (path, body, signal, how) =>
      exchange('GitLab', `${root}${path}`, {
        method: 'POST',
        headers: { ...headers(), 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
        ...how,
      }),
  }
}

// Only the query of the next page's address is used: the token stays with the server it belongs to.
function nextPage(headers: Headers, address: string): string | undefined {
  const next = /<([^>]+)>;[^,]*rel="?next"?/.exec(headers.get('link') ?? '')?.[1]
  if (next === undefined) return undefined
  const here = new URL(address)
  return `${here.origin}${here.pathname}${new URL(next, address).search}`
}

const never = new Set([400, 403, 404, 405, 410, 413, 422])

function meaning(status: number, text: string): Error {
  const message = `GitLab answers ${status}: ${text.slice(0, 200)}`
  if (status === 401 || (status === 403 && text.includes('insufficient_scope'))) return new Refused(message)
  if (status === 403 && /read-only/i.test(text)) return new Unavailable(message)
  if (never.has(status)) return new Permanent(message)
  if (status === 500 && readJson(text) === undefined) return new Unavailable(`GitLab answers 500 with its failure page.`)
  return new Error(message)
}

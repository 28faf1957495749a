// How GitLab's REST API, version 4, is asked, and what its answers mean. Lists are followed to their end by the `Link`
// header, within bounds.
import { z } from 'zod'
import { Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import { readJson } from '#shared/process/json.ts'
import type { Secret } from '#shared/process/secret.ts'
import { type Answer, type Call, exchange, jsonIn, TooLarge } from '#sinks/http/http.ts'
import { wordsOfPage } from '#sinks/http/words-of-page.ts'
import { gitlabName } from './variables.ts'

/** There is no such thing, or it is not shown to us; `what` it is, where GitLab says so: `project`. */
export class NotFound extends Permanent {
  override name = 'NotFound'
  readonly what: string | undefined
  constructor(message: string, what: string | undefined) {
    super(message)
    this.what = what
  }
}

export type GitLabApi = {
  /** What is at `path` (`/user`), of the shape of `schema`. */
  get: <T>(path: string, schema: z.ZodType<T>, signal: AbortSignal) => Promise<T>
  /** The items of a list, one page after another, within bounds; `onBound` is called when there would be more. */
  items: <T>(path: string, item: z.ZodType<T>, signal: AbortSignal, onBound?: () => void) => AsyncGenerator<T>
  /** The same, all together: for items that are small. */
  list: <T>(path: string, item: z.ZodType<T>, signal: AbortSignal) => Promise<T[]>
  /** Sends `body` as JSON, once; `fence` as in `exchange`. */
  post: (path: string, body: object, signal: AbortSignal, how?: Pick<Call, 'timeLimitMs' | 'fence'>) => Promise<Answer>
  /** What an answer says, of the shape of `schema`. */
  read: <T>(answer: Answer, schema: z.ZodType<T>) => T
}

// Of one list, over all its pages.
const mostPages = 150
const mostLength = 64 * 1024 * 1024

/**
 * The API at `url` with an access token. Calls throw `Unavailable` (down), `Refused` (token not accepted), `Permanent` (no
 * such thing, not allowed) or a plain Error (worth another attempt).
 */
export function openGitLabApi({ url, token, redact }: { url: string; token: Secret; redact: (text: string) => string }): GitLabApi {
  const root = `${url}/api/v4`
  const headers = () => ({ authorization: `Bearer ${token()}`, accept: 'application/json' })

  async function ask<T>(address: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<Page<T>> {
    const answer = await exchange(gitlabName, address, { headers: headers(), signal })
    return { value: read(answer, schema), next: nextPage(answer.headers, address), length: answer.text.length }
  }

  async function* items<T>(path: string, item: z.ZodType<T>, signal: AbortSignal, onBound?: () => void): AsyncGenerator<T> {
    let address: string | undefined = `${root}${path}`
    let length = 0
    for (let pages = 0; address !== undefined; pages++) {
      if (pages === mostPages || length > mostLength) return onBound?.()
      const asked: string = address
      const page: Page<T[]> | 'too large' = await ask(asked, z.array(item), signal).catch(unlessTooLarge)
      if (page === 'too large') {
        address = smallerPage(asked)
        if (address === undefined) return onBound?.()
      } else {
        yield* page.value
        length += page.length
        address = page.next
      }
    }
  }

  function read<T>(answer: Answer, schema: z.ZodType<T>): T {
    const { status, text } = answer
    if (status >= 300 || status < 200) throw meaning(status, redact(text))
    const value = jsonIn(answer)
    if (value === undefined)
      throw new Unavailable(`GitLab answers ${status} without JSON, or with half of it${wordsOfPage(answer, redact)}.`, { remote })
    const result = schema.safeParse(value)
    if (!result.success) throw new Error(`GitLab answers ${status} in an unknown shape: ${z.prettifyError(result.error)}`)
    return result.data
  }

  return {
    read,
    get: async (path, schema, signal) => (await ask(`${root}${path}`, schema, signal)).value,
    items,
    async list<T>(path: string, item: z.ZodType<T>, signal: AbortSignal) {
      const found: T[] = []
      for await (const one of items(path, item, signal)) found.push(one)
      return found
    },
    post: (path, body, signal, how) =>
      exchange(gitlabName, `${root}${path}`, {
        method: 'POST',
        headers: { ...headers(), 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
        ...how,
      }),
  }
}

type Page<T> = { value: T; next: string | undefined; length: number }

function unlessTooLarge(error: unknown): 'too large' {
  if (error instanceof TooLarge) return 'too large'
  throw error
}

// What begins where the page at `address` does, with fewer items; undefined when that one is alone already.
function smallerPage(address: string): string | undefined {
  const url = new URL(address)
  const size = Number(url.searchParams.get('per_page') ?? 20)
  const page = Number(url.searchParams.get('page') ?? 1)
  if (!(size > 1)) return undefined
  const smaller = size % 10 === 0 ? size / 10 : 1
  url.searchParams.set('per_page', String(smaller))
  url.searchParams.set('page', String(((page - 1) * size) / smaller + 1))
  return url.href
}

// Only the query of the next page's address is used: the token stays with the server it belongs to.
function nextPage(headers: Headers, address: string): string | undefined {
  const next = /<([^>]+)>;[^,]*rel="?next"?/.exec(headers.get('link') ?? '')?.[1]
  if (next === undefined) return undefined
  const here = new URL(address)
  return `${here.origin}${here.pathname}${new URL(next, address).search}`
}

const remote = gitlabName.name
const noRouteSchema = z.object({ error: z.literal('404 Not Found') })
const never = new Set([400, 403, 404, 405, 410, 413, 422])

function meaning(status: number, text: string): Error {
  const message = `GitLab answers ${status}: ${text.slice(0, 200)}`
  if (status === 401 || (status === 403 && text.includes('insufficient_scope'))) return new Refused(message, { remote })
  if (status === 403 && /read-only/i.test(text)) return new Unavailable(message, { remote })
  if (status === 404 && !isNoRoute(text)) return new NotFound(message, /404 (\w+) Not Found/.exec(text)?.[1]?.toLowerCase())
  if (never.has(status)) return new Permanent(message)
  if (status === 500 && readJson(text) === undefined) return new Unavailable(`GitLab answers 500 with its failure page.`, { remote })
  return new Error(message)
}

// This server does not know such an address at all.
function isNoRoute(text: string): boolean {
  return noRouteSchema.safeParse(readJson(text)).success
}

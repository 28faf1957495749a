// GitLab's REST API, version 4: the few calls that comments and mentions need. Lists are followed to their end by the
// `Link` header, within bounds. Posting a note is not idempotent: asked twice, it makes two.
import { z } from 'zod'
import { Permanent, Refused, Unavailable } from '#shared/errors.ts'
import { readJson } from '#shared/json.ts'
import { type Answer, exchange, jsonIn } from './http.ts'
import { remember } from './remember.ts'

export type Place = { project: number | string; iid: number }
export type ChangedFile = { path: string; oldPath?: string; isNew: boolean }
export type User = { id: number; username: string; active: boolean }
export type Note = { id: number; body: string; author: string }

export type GitLab = {
  /** The messages of the merge request's commits, newest first. */
  commitMessages: (place: Place, signal: AbortSignal) => Promise<string[]>
  /** The files it changes; at most 3,000, GitLab's own bound. */
  changedFiles: (place: Place, signal: AbortSignal) => Promise<ChangedFile[]>
  /** The user names of all who take part in it. */
  participants: (place: Place, signal: AbortSignal) => Promise<string[]>
  /** The user name of its author. */
  author: (place: Place, signal: AbortSignal) => Promise<string | undefined>
  /** What people wrote on it, newest first; GitLab's own notes are left out. */
  notes: (place: Place, signal: AbortSignal) => Promise<Note[]>
  /** Writes a note on it; its id. */
  postNote: (place: Place, body: string, signal: AbortSignal) => Promise<number>
  /** The account with this name, compared without case; undefined when there is none. The answer may be ten minutes old. */
  userNamed: (username: string, signal: AbortSignal) => Promise<User | undefined>
  /** The account behind the token. */
  me: (signal: AbortSignal) => Promise<User>
}

const userSchema = z
  .object({ id: z.number(), username: z.string(), state: z.string().optional() })
  .transform(({ id, username, state }) => ({ id, username, active: state === undefined || state === 'active' }))
const commitSchema = z.object({ message: z.string().nullish() })
const fileSchema = z
  .object({ new_path: z.string(), old_path: z.string().nullish(), new_file: z.boolean().nullish() })
  .transform(({ new_path, old_path, new_file }) => ({
    path: new_path,
    ...(old_path && old_path !== new_path && { oldPath: old_path }),
    isNew: new_file === true,
  }))
const noteSchema = z.object({
  id: z.number(),
  body: z.string().nullish(),
  system: z.boolean().nullish(),
  author: z.object({ username: z.string() }).nullish(),
})
const mergeRequestSchema = z.object({ author: z.object({ username: z.string() }).nullish() })

const mostPages = 150

/**
 * GitLab at `url` with an access token. Calls throw `Unavailable` (down), `Refused` (token not accepted), `Permanent`
 * (no such merge request, not allowed) or a plain Error (worth another attempt).
 */
export function openGitLab({ url, token, redact }: { url: string; token: string; redact: (text: string) => string }): GitLab {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  const root = `${url}/api/v4`
  let own: User | undefined

  async function get<T>(address: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<{ value: T; next: string | undefined }> {
    const answer = await exchange('GitLab', address, { headers, signal })
    return { value: read(answer, schema), next: nextPage(answer.headers, address) }
  }

  async function list<T>(path: string, item: z.ZodType<T>, signal: AbortSignal): Promise<T[]> {
    const found: T[] = []
    let address: string | undefined = `${root}${path}`
    for (let page = 0; page < mostPages && address !== undefined; page++) {
      const { value, next }: { value: T[]; next: string | undefined } = await get(address, z.array(item), signal)
      found.push(...value)
      address = next
    }
    return found
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
    async commitMessages(place, signal) {
      const commits = await list(`${pathOf(place)}/commits?per_page=100`, commitSchema, signal)
      return commits.map(({ message }) => message ?? '')
    },
    // Larger pages of diffs have made GitLab answer 500.
    changedFiles: (place, signal) => list(`${pathOf(place)}/diffs?per_page=20`, fileSchema, signal),
    async participants(place, signal) {
      const users = await list(`${pathOf(place)}/participants?per_page=100`, userSchema, signal)
      return users.map(({ username }) => username)
    },
    async author(place, signal) {
      const { value } = await get(`${root}${pathOf(place)}`, mergeRequestSchema, signal)
      return value.author?.username
    },
    async notes(place, signal) {
      const notes = await list(`${pathOf(place)}/notes?sort=desc&order_by=created_at&per_page=100`, noteSchema, signal)
      return notes
        .filter(({ system }) => system !== true)
        .map(({ id, body, author }) => ({ id, body: body ?? '', author: author?.username ?? '' }))
    },
    async postNote(place, body, signal) {
      const answer = await exchange('GitLab', `${root}${pathOf(place)}/notes`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ body }),
        signal,
      })
      if (answer.status === 202) throw new Permanent('GitLab took the note for commands and made no note of it.')
      return read(answer, noteSchema).id
    },
    userNamed: remember(async (username, signal) => {
      const { value } = await get(`${root}/users?username=${encodeURIComponent(username)}`, z.array(userSchema), signal)
      return value.find((user) => user.username.toLowerCase() === username.toLowerCase())
    }),
    async me(signal) {
      own ??= (await get(`${root}/user`, userSchema, signal)).value
      return own
    },
  }
}

function pathOf({ project, iid }: Place): string {
  return `/projects/${encodeURIComponent(project)}/merge_requests/${iid}`
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

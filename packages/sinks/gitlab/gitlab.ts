// The few calls to GitLab that comments and mentions need. Posting a note is not idempotent: asked twice, it makes two.
import { z } from 'zod'
import { Permanent } from '#shared/process/errors.ts'
import { madeOf, type Secret } from '#shared/process/secret.ts'
import type { Fence } from '#sinks/fence.ts'
import { cached } from '#sinks/http/cache.ts'
import { openGitLabApi } from './api.ts'

export type MergeRequestKey = { project: number | string; iid: number }
/** A file of a merge request; a renamed one has an `oldPath`, under which it may be listed just as well. */
export type ChangedFile = { path: string; oldPath?: string; isNew: boolean }
export type User = { id: number; username: string; active: boolean }
export type MergeRequestFacts = { state: string | undefined; author: string | undefined }
export type Note = { id: number; body: string; author: string }

export type GitLab = {
  /** The messages of the merge request's commits, newest first; `onBound` is called when there would be more. Of a long one the middle is left out. */
  commitMessages: (place: MergeRequestKey, signal: AbortSignal, onBound?: () => void) => AsyncGenerator<string>
  /** The files it changes; at most 3,000, GitLab's own bound. */
  changedFiles: (place: MergeRequestKey, signal: AbortSignal) => Promise<ChangedFile[]>
  /** The user names of all who take part in it. */
  participants: (place: MergeRequestKey, signal: AbortSignal) => Promise<string[]>
  /** Its state as it is now (`opened`, `closed`, `merged`, `locked`), and the user name of its author. */
  mergeRequest: (place: MergeRequestKey, signal: AbortSignal) => Promise<MergeRequestFacts>
  /** What the account `username` wrote on it, newest first, or how that begins; GitLab's own notes are left out. `onBound` is called when there would be more. */
  notesBy: (username: string, place: MergeRequestKey, signal: AbortSignal, onBound: () => void) => AsyncGenerator<Note>
  /** Writes a note on it, behind `fence`; its id. */
  postNote: (place: MergeRequestKey, body: string, signal: AbortSignal, fence: Fence) => Promise<number>
  /** The account with this name, compared without case; undefined when there is none. The answer may be ten minutes old. */
  userNamed: (username: string, signal: AbortSignal) => Promise<User | undefined>
  /** The account behind the token, which stays the same. */
  me: (signal: AbortSignal) => Promise<User>
  /** The same, asked for again. */
  meNow: (signal: AbortSignal) => Promise<User>
}

const userSchema = z
  .object({ id: z.number(), username: z.string(), state: z.string().optional() })
  .transform(({ id, username, state }) => ({ id, username, active: state === undefined || state === 'active' }))
const commitSchema = z.object({ message: z.string().nullish() }).transform(({ message }) => withoutMiddle(message ?? ''))
const fileSchema = z
  .object({ new_path: z.string(), old_path: z.string().nullish(), new_file: z.boolean().nullish() })
  .transform(({ new_path, old_path, new_file }) => ({
    path: cut(new_path),
    ...(old_path && old_path !== new_path && { oldPath: cut(old_path) }),
    isNew: new_file === true,
  }))
const noteSchema = z.object({
  id: z.number(),
  body: z.string().nullish(),
  system: z.boolean().nullish(),
  author: z.object({ username: z.string() }).nullish(),
})
const mergeRequestSchema = z
  .object({ state: z.string().nullish(), author: z.object({ username: z.string() }).nullish() })
  .transform(({ state, author }) => ({ state: state ?? undefined, author: author?.username }))

// No expression is looked for in longer ones. A copy: what is cut from a text keeps the whole of it.
const longestPath = 1001

function cut(path: string): string {
  return path.length > longestPath ? Buffer.from(path.slice(0, longestPath)).toString() : path
}

// Ours are shorter.
const longestNote = 10_000
// What names tasks stands at the beginning of a message, or at its end.
const longestMessage = 64 * 1024

function withoutMiddle(message: string): string {
  if (message.length <= longestMessage) return message
  const [start, end] = [message.slice(0, longestMessage / 2), message.slice(-longestMessage / 2)]
  return `${start.slice(0, start.lastIndexOf('\n') + 1)}\n${end.slice(end.indexOf('\n') + 1)}`
}

/** GitLab at `url` with an access token. Calls throw what `openGitLabApi` says. */
export function openGitLab({ url, token, redact }: { url: string; token: Secret; redact: (text: string) => string }): GitLab {
  const { get, items, list, post, read } = openGitLabApi({ url, token, redact })
  const own = madeOf(token, (): { user?: User } => ({}))

  return {
    commitMessages: (place, signal, onBound) => items(`${pathOf(place)}/commits?per_page=100`, commitSchema, signal, onBound),
    // Larger pages of diffs have made GitLab answer 500.
    changedFiles: (place, signal) => list(`${pathOf(place)}/diffs?per_page=20`, fileSchema, signal),
    async participants(place, signal) {
      const users = await list(`${pathOf(place)}/participants?per_page=100`, userSchema, signal)
      return users.map(({ username }) => username)
    },
    mergeRequest: (place, signal) => get(pathOf(place), mergeRequestSchema, signal),
    async *notesBy(username, place, signal, onBound) {
      const path = `${pathOf(place)}/notes?sort=desc&order_by=created_at&per_page=100`
      for await (const { id, body, author, system } of items(path, noteSchema, signal, onBound)) {
        if (system !== true && author?.username === username) yield { id, body: (body ?? '').slice(0, longestNote), author: username }
      }
    },
    async postNote(place, body, signal, fence) {
      const answer = await post(`${pathOf(place)}/notes`, { body }, signal, { fence })
      if (answer.status === 202) throw new Permanent('GitLab took the note for commands and made no note of it.')
      return read(answer, noteSchema).id
    },
    userNamed: cached(async (username, signal) => {
      const users = await get(`/users?username=${encodeURIComponent(username)}`, z.array(userSchema), signal)
      return users.find((user) => user.username.toLowerCase() === username.toLowerCase())
    }),
    async me(signal) {
      const account = own()
      account.user ??= await get('/user', userSchema, signal)
      return account.user
    },
    meNow: (signal) => get('/user', userSchema, signal),
  }
}

function pathOf({ project, iid }: MergeRequestKey): string {
  return `/projects/${encodeURIComponent(project)}/merge_requests/${iid}`
}

// The comment on a task, in Remarkup. Its first line is the only live markup; everything foreign that could be more than
// a word stands in a literal block.
import type { GitLabEvent, MergeRequest } from '#shared/event/event.ts'
import { literal } from './one-line.ts'

const verbs: Record<string, string> = { open: 'opened', reopen: 'reopened', close: 'closed', merge: 'merged', update: 'updated' }

/**
 * The text of the comment that `event` brings. Of a project that is not public only the first line is told.
 * `gitlabUrl` serves where the event has no address of the merge request, or one that is more than an address.
 */
export function commentOn({ username, action, visibility }: GitLabEvent, mergeRequest: MergeRequest, gitlabUrl: string): string {
  const { url, projectPath, iid, targetBranch, title } = mergeRequest
  const address = url ?? `${gitlabUrl}/${escaped(projectPath)}/-/merge_requests/${iid}`
  const line = `${person(username)} ${verbs[action ?? ''] ?? 'updated'} ${address}`
  if (visibility !== 'public') return line
  return `${line}\n\n%%%[${literal(projectPath)}@${literal(targetBranch)}] ${literal(title)}%%%`
}

/** The address of the merge request that a comment tells of; empty when it is none of ours. */
export function addressIn(text: string): string {
  return said(text)[1] ?? ''
}

/** What a comment tells of it: `opened`, `merged` …; undefined when it is none of ours. */
export function verbIn(text: string): string | undefined {
  return said(text)[0]
}

function said(text: string): string[] {
  return /^\S+ (opened|reopened|closed|merged|updated) (\S+)$/.exec(text.split('\n', 1)[0] ?? '')?.slice(1) ?? []
}

// A path that cannot end the address it stands in, whatever is in it.
function escaped(path: string): string {
  const bytes = (character: string) => Buffer.from(character).toString('hex').replaceAll(/../g, '%$&')
  return path
    .slice(0, 500)
    .toWellFormed()
    .replaceAll(/[^\w./-]/gu, bytes)
}

const gitlabName = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_-])?$/
// Objects (T123), repositories (rMW), commits (deadbeef), underlined text.
const markup = /(?<!\w)(?:[A-Z]\d|r[A-Z]|[0-9a-f]{7,40}(?!\w))|__/
const wordJoiner = '\u2060'

// A user may be called T123, or __x__, which Remarkup would make more of. Invisible joints between all its letters leave
// it readable and mean nothing.
function person(username: string | undefined): string {
  if (username === undefined || !gitlabName.test(username)) return 'Somebody'
  return markup.test(username) ? Array.from(username).join(wordJoiner) : username
}

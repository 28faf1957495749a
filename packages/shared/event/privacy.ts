// What of an event the public may see: whether it may be published at all, and what is taken out of it.
import type { GitLabEvent } from './event.ts'
import { deepest, judge } from './privacy/judge.ts'
import { unpublishedKind } from './privacy/kinds.ts'

export { forThePublic } from './privacy/clean.ts'

const longestKind = 100

/** What is said at the start where `FEED_PRIVATE` is true. */
export const privateIsPublished =
  'FEED_PRIVATE is true: events of projects that are not public go to everybody who can reach the feed, and to the web pages of anybody in their browsers (CORS is open)'

/** Why `event` must not be on the feed; undefined when it may. */
export function whyPrivate({ visibility, isVisibilityStated, body }: GitLabEvent, feedPrivate: boolean): string | undefined {
  const kind = unpublishedKind(body)
  if (kind !== undefined) return `events of this kind are never published (${kind.slice(0, longestKind)})`
  if (typeof body.event_type === 'string' && /confidential/i.test(body.event_type)) return 'it is confidential'
  const found = judge(body)
  if (found === 'too deep') return `it is nested more than ${deepest} levels deep`
  if (found === 'confidential') return 'it is confidential'
  if (feedPrivate) return undefined
  if (visibility !== 'public') return isVisibilityStated ? `the project is ${visibility}` : 'it does not say that the project is public'
  return found === 'not public' ? 'not all that it says of its visibility is public' : undefined
}

// What the public may know of a merge request: the stories of those deliveries that may be on the feed, as the journal has them.
import type { GitLabEvent } from '#shared/event/event.ts'
import { whyPrivate } from '#shared/event/privacy.ts'
import { eventsOf } from '#shared/journal/events.ts'
import { unlessNew } from '#shared/journal/feed.ts'
import { aboutOf } from '#shared/queue/hidden-projects.ts'
import type { MergeRequest } from '#sinks/story/address.ts'
import type { Story } from '#sinks/story/story.ts'
import type { Hidden } from '../../feed/hidden.ts'
import type { Stories, StoriesParts } from './stories.ts'

/** `stories` newest first; `url` is the address in GitLab, where it is told; `asOf` when it was looked up, ISO 8601. */
export type Known = { name: string; url: string | undefined; asOf: string; sentence: string; stories: Story[] }

export type Look = (mr: MergeRequest) => Promise<Known | undefined>

type Parts = StoriesParts & { hidden: Pick<Hidden, 'hides'> }

const most = 50

/**
 * What is known of a merge request, from its latest 50 deliveries. Undefined of what there is not, and just so where the newest of
 * them may not be on the feed, or its project is not public any more. Rejects while the database is away.
 */
export function looker({ hidden, ...parts }: Parts): Look {
  const { database } = parts
  let stories: Promise<Stories> | undefined

  return async function look({ project, iid }) {
    const query = database.selectFrom('deliveries').select('id').where('project', '=', project).where('iid', '=', iid)
    const newest = query.orderBy('received_at', 'desc').orderBy('id', 'desc').limit(most)
    const rows = await newest.execute().catch(unlessNew([]))
    const [first = '', ...others] = rows.map(({ id }) => id)
    // The newest alone first: what may not be told must cost about what there is not.
    const newestEvent = (await eventsOf(database, [first])).get(first)
    if (!isShown(newestEvent, hidden)) return undefined
    const events = await eventsOf(database, others)
    const shown = [first, ...others.filter((id) => isShown(events.get(id), hidden))]
    // It needs to know all sinks; nothing else in ingest does, so they are loaded when the first page is asked for.
    stories ??= import('./stories.ts').then(({ openStories }) => openStories(parts))
    const tell = await stories
    const asOf = new Date().toISOString()
    return { name: `${project}!${iid}`, url: newestEvent?.mergeRequest?.url, asOf, ...(await tell(shown)) }
  }
}

function isShown(event: GitLabEvent | undefined, hidden: Pick<Hidden, 'hides'>): boolean {
  if (!event || whyPrivate(event, false) !== undefined) return false
  const about = aboutOf(event)
  return about !== undefined && !hidden.hides(about)
}

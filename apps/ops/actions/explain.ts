// `explain`: the whole story of one delivery, or of each delivery of a merge request, with a sentence first.
import type { GitLabEvent } from '#shared/event/event.ts'
import { eventsOf } from '#shared/journal/events.ts'
import { newestCandidates } from '#shared/journal/search/search.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { type Story, storiesOf } from '#sinks/story/story.ts'
import { summaryOf } from '#sinks/story/summary.ts'
import type { WaitingParts } from '#sinks/story/waiting.ts'
import type { OpsContext } from '../context.ts'

/** `privacy` says what it means where the project is not known to be public. */
export type Explained = Story & { sentence: string; privacy: string | null }

const most = 50

/** The story of the delivery `id`; undefined when the journal does not have it. */
export async function explain(parts: WaitingParts, id: string): Promise<Explained | undefined> {
  const [story] = await explained(parts, [id])
  return story
}

/** The stories of the latest 50 deliveries of a merge request, newest first. */
export async function explainMergeRequest(parts: WaitingParts, mr: { project: string; iid: number }): Promise<Explained[]> {
  for await (const ids of newestCandidates(parts.database, { mr, limit: most }, undefined))
    return await explained(parts, ids.slice(0, most))
  return []
}

async function explained(parts: WaitingParts, ids: string[]): Promise<Explained[]> {
  const stories = await storiesOf(parts, ids)
  const events = await eventsOf(
    parts.database,
    stories.map(({ id }) => id),
  )
  return stories.map((story) => ({ ...story, sentence: summaryOf([story]), privacy: privacyOf(events.get(story.id)) }))
}

function privacyOf(event: GitLabEvent | undefined): string | null {
  if (!event?.project || event.visibility === 'public') return null
  const said = event.isVisibilityStated ? `The project is ${event.visibility}` : 'It is not said that the project is public'
  return `${said}: a comment has only its first line, without project, branch and title; notes are as for others; the feed has nothing of it, unless FEED_PRIVATE is true; it has no public page.`
}

/** Where a delivery is that the journal does not have: a state of its job, such as `waiting`; undefined when there is none. */
export async function whereabouts({ queues }: OpsContext, id: string): Promise<string | undefined> {
  return await (await queues.deliveries.getJob(deliveryJobId(id)))?.getState()
}

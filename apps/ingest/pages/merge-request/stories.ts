// The stories that a page tells, over the connections of ingest.
import type { Database } from '#shared/journal/database.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import type { QueuePlace } from '#shared/queue/queues.ts'
import { sinkNames } from '#sinks/registry.ts'
import { type Story, storiesOf } from '#sinks/story/story.ts'
import { summaryOf } from '#sinks/story/summary.ts'

export type StoriesParts = QueuePlace & { database: Database }
export type Stories = (ids: string[]) => Promise<{ stories: Story[]; sentence: string }>

/** Tells the stories of deliveries by their ids, newest first, and one sentence about all. */
export function openStories(parts: StoriesParts): Stories {
  const queues = Object.fromEntries(sinkNames.map((name) => [name, openQueue(parts, name)]))
  return async function tell(ids) {
    const stories = await storiesOf({ ...parts, queues }, ids)
    return { stories, sentence: summaryOf(stories) }
  }
}

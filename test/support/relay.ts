// Publishes on the feed directly, as the worker does, for tests that run no worker.
import type { Cursor } from '#shared/event/cursor.ts'
import { openRelay } from '#shared/queue/relay.ts'
import type { Stage } from './stage.ts'

/** Publishes `messages` one after another; answers their cursors. */
export type Publish = (messages: unknown[]) => Promise<Cursor[]>

/** Each publisher for one stage needs a `name` of its own. */
export function publisherOf({ redis, environment }: Pick<Stage, 'redis' | 'environment'>, name = 'published'): Publish {
  const relay = openRelay({ redis, prefix: environment.REDIS_PREFIX ?? '' })
  let count = 0
  return async (messages) => {
    const cursors: Cursor[] = []
    for (const message of messages) cursors.push((await relay.publish(`${name}-${count++}`, JSON.stringify(message))).cursor)
    return cursors
  }
}

// Publishes on the feed directly, as the worker does, for tests that run no worker.
import { type Cursor, openRelay } from '#shared/relay.ts'
import type { Stage } from './stage.ts'

/** Publishes `messages` one after another; answers their cursors. */
export type Publish = (messages: unknown[]) => Promise<Cursor[]>

export function publisherOf({ redis, environment }: Pick<Stage, 'redis' | 'environment'>): Publish {
  const relay = openRelay({ redis, prefix: environment.REDIS_PREFIX ?? '' })
  let count = 0
  return async (messages) => {
    const cursors: Cursor[] = []
    for (const message of messages) cursors.push(await relay.publish(`published-${count++}`, JSON.stringify(message)))
    return cursors
  }
}

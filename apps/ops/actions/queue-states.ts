// How each queue stands: what waits in it and for how long, what is dead, and whether it is held or paused.

import { type Counts, countJobs } from '#shared/queue/counts.ts'
import { type QueueName, queueNames } from '#shared/queue/queues.ts'
import { type Hold, readHold } from '../../worker/performer/holds.ts'
import type { Place } from '../context.ts'

export type QueueState = Counts & {
  id: QueueName
  paused: boolean
  /** For how many seconds the oldest waiting job has been waiting. */
  lag: number
  held: (Omit<Hold, 'since' | 'until'> & { since: string; until: string }) | null
}

/** All queues, in the order of the story. Rejects when Redis is away. */
export async function queueStates(place: Place): Promise<QueueState[]> {
  return await Promise.all(queueNames.map((name) => queueState(place, name)))
}

async function queueState({ queues, redis, prefix }: Place, name: QueueName): Promise<QueueState> {
  const queue = queues[name]
  const [counts, [oldest], paused, hold] = await Promise.all([
    countJobs(queue, { redis, prefix }),
    queue.getJobs(['wait'], 0, 0, true),
    queue.isPaused(),
    readHold(redis, prefix, name),
  ])
  return {
    id: name,
    ...counts,
    paused,
    lag: oldest ? Math.round((Date.now() - oldest.timestamp) / 1000) : 0,
    held: hold ? { ...hold, since: hold.since.toISOString(), until: hold.until.toISOString() } : null,
  }
}

export type RemoteState = {
  id: 'phabricator' | 'gitlab' | 'wiki'
  state: 'up' | 'held' | 'refused'
  since: string | null
  reason: string | null
}

// The remotes that the queues call, and the name with which each remote's own file begins what it says of it.
const remotes = [
  { id: 'phabricator', name: 'Phabricator', queues: ['phabricator'] },
  { id: 'gitlab', name: 'GitLab', queues: ['commits', 'gitlab-mentions'] },
  { id: 'wiki', name: 'The wiki', queues: ['gitlab-mentions'] },
] as const

/** How the remotes are, as far as somebody who called them tells: `up` is one that nothing waits for. */
export function remoteStates(queues: QueueState[]): RemoteState[] {
  return remotes.map(({ id, name, queues: callers }) => {
    const holds = queues.flatMap((queue) => (callers.some((caller) => caller === queue.id) && queue.held ? [queue.held] : []))
    const hold = holds.find(({ reason }) => reason.startsWith(name))
    if (!hold) return { id, state: 'up', since: null, reason: null }
    return { id, state: hold.refused ? 'refused' : 'held', since: hold.since, reason: hold.reason }
  })
}

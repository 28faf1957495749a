// How each queue stands: what waits in it and for how long, what is dead, and whether it is on hold or paused.

import { type Counts, countJobs, oldestSeconds } from '#shared/queue/counts.ts'
import { type Hold, readHold } from '#shared/queue/hold.ts'
import type { Presence } from '#shared/queue/presence.ts'
import { type QueueName, queueNames } from '#sinks/queues.ts'
import { declarations, isOn } from '#sinks/registry.ts'
import type { OpsContext } from '../context.ts'
import type { PausedBy } from './paused-by.ts'

export type QueueState = Counts & {
  id: QueueName
  paused: boolean
  /** Who paused it, where that is known; null also when it is not paused. */
  pausedBy: PausedBy | null
  /** For how many seconds the oldest waiting job has been waiting. */
  lag: number
  held: (Omit<Hold, 'since' | 'until'> & { since: string; until: string }) | null
}

/** All queues, in the order of the story. Rejects when Redis is away. */
export async function queueStates(context: OpsContext): Promise<QueueState[]> {
  return await Promise.all(queueNames.map((name) => queueState(context, name)))
}

async function queueState({ queues, redis, prefix }: OpsContext, name: QueueName): Promise<QueueState> {
  const queue = queues[name]
  const [counts, seconds, paused, hold] = await Promise.all([
    countJobs(queue, { redis, prefix }),
    oldestSeconds(queue),
    queue.isPaused(),
    readHold(redis, prefix, name),
  ])
  return {
    id: name,
    ...counts,
    paused,
    pausedBy: null,
    lag: Math.round(seconds),
    held: hold ? { ...hold, since: hold.since.toISOString(), until: hold.until.toISOString() } : null,
  }
}

/** `lastUse` is when a worker that is there asked it last; `down` is one that did not answer then, though nothing waits for it. */
export type RemoteState = {
  id: string
  state: 'up' | 'down' | 'held' | 'refused'
  since: string | null
  reason: string | null
  lastUse: string | null
}

/**
 * How the remotes are of the sinks that are on, and any for which a queue is on hold, as far as somebody who called them tells:
 * `up` is one that nothing waits for, as of its last use.
 */
export function remoteStates(
  queues: QueueState[],
  processes: Presence[],
  { sinksEnabled, settings }: Pick<OpsContext['config'], 'sinksEnabled' | 'settings'>,
): RemoteState[] {
  const holds = queues.flatMap(({ held }) => (held?.remote ? [{ ...held, remote: held.remote }] : []))
  const called = declarations.flatMap((one) => (isOn(one, sinksEnabled) ? one.remotesAt(settings).map(({ name }) => name) : []))
  return [...new Set([...called, ...holds.map(({ remote }) => remote)])].map((id) => {
    const hold = holds.find(({ remote }) => remote === id)
    const uses = processes.flatMap(({ remotes }) => remotes?.[id] ?? [])
    const last = uses.toSorted((a, b) => a.at.localeCompare(b.at)).at(-1)
    const lastUse = last?.at ?? null
    if (hold) return { id, state: hold.refused ? 'refused' : 'held', since: hold.since, reason: hold.reason, lastUse }
    if (last && last.trouble !== null) return { id, state: 'down', since: last.at, reason: last.trouble, lastUse }
    return { id, state: 'up', since: null, reason: null, lastUse }
  })
}

// `status`: how everything stands, on one screen.
import { sql } from 'kysely'
import { type QueueName, queueNames } from '#shared/queues.ts'
import { type Hold, readHold } from '../../holds.ts'
import type { Place } from '../place.ts'

export type QueueState = {
  id: QueueName
  waiting: number
  active: number
  delayed: number
  dead: number
  paused: boolean
  /** For how many seconds the oldest waiting job has been waiting. */
  lag: number
  held: (Omit<Hold, 'since' | 'until'> & { since: string; until: string }) | null
}
export type Status = { queues: QueueState[]; dead: number; lastDelivery: { id: string; at: string; kind: string } | null }

export async function status(place: Place): Promise<Status> {
  const queues: QueueState[] = []
  for (const name of queueNames) queues.push(await queueState(place, name))
  const last = await place.database
    .selectFrom('deliveries')
    .select(['id', 'received_at', 'kind'])
    .orderBy('received_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  const dead = await place.database
    .selectFrom('effects')
    .select(sql<number>`count(*)`.as('count'))
    .where('state', '=', 'dead')
    .executeTakeFirstOrThrow()
  return {
    queues,
    dead: Number(dead.count),
    lastDelivery: last ? { id: last.id, at: last.received_at.toISOString(), kind: last.kind } : null,
  }
}

async function queueState({ queues, redis, prefix }: Place, name: QueueName): Promise<QueueState> {
  const queue = queues[name]
  const { wait = 0, active = 0, delayed = 0, failed = 0 } = await queue.getJobCounts('wait', 'active', 'delayed', 'failed')
  const [oldest] = await queue.getJobs(['wait'], 0, 0, true)
  const hold = await readHold(redis, prefix, name)
  return {
    id: name,
    waiting: wait,
    active,
    delayed,
    dead: failed,
    paused: await queue.isPaused(),
    lag: oldest ? Math.round((Date.now() - oldest.timestamp) / 1000) : 0,
    held: hold ? { ...hold, since: hold.since.toISOString(), until: hold.until.toISOString() } : null,
  }
}

// How many jobs a queue has, as an operator means it: a chore whose time has not come is not one that was put off, entries of
// the journal wait also while they are no jobs yet, and effects wait also while others of their lane are ahead of them.
import type { Queue } from 'bullmq'
import { outboxLength } from './outbox.ts'
import type { QueuePlace } from './queues.ts'

export type Counts = { waiting: number; active: number; delayed: number; dead: number }

export async function countJobs(queue: Queue, place: QueuePlace): Promise<Counts> {
  // First: what leaves the outbox meanwhile is counted twice then, and not missed.
  const inOutbox = queue.name === 'journal' ? await outboxLength(place) : 0
  const {
    wait = 0,
    active = 0,
    delayed = 0,
    failed = 0,
    ...rest
  } = await queue.getJobCounts('wait', 'waiting-children', 'active', 'delayed', 'failed')
  const { 'waiting-children': inLanes = 0 } = rest
  const schedules = queue.name === 'chores' ? await queue.getJobSchedulersCount() : 0
  return { waiting: wait + inLanes + inOutbox, active, delayed: Math.max(0, delayed - schedules), dead: failed }
}

/** For how many seconds the oldest job has been waiting for its turn; 0 when none waits. */
export async function oldestSeconds(queue: Queue): Promise<number> {
  const found = await Promise.all([queue.getJobs(['wait'], 0, 0, true), queue.getJobs(['waiting-children'], 0, 0, true)])
  const [since = Number.POSITIVE_INFINITY] = found
    .flat()
    .map(({ timestamp }) => timestamp)
    .toSorted((a, b) => a - b)
  return Math.max(0, Date.now() - since) / 1000
}

// How many jobs a queue has, as an operator means it: a chore whose time has not come is not one that was put off, and
// entries of the journal wait also while they are no jobs yet.
import type { Queue } from 'bullmq'
import { outboxLength } from './outbox.ts'
import type { QueuePlace } from './queues.ts'

export type Counts = { waiting: number; active: number; delayed: number; dead: number }

export async function countJobs(queue: Queue, place: QueuePlace): Promise<Counts> {
  // First: what leaves the outbox meanwhile is counted twice then, and not missed.
  const inOutbox = queue.name === 'journal' ? await outboxLength(place) : 0
  const { wait = 0, active = 0, delayed = 0, failed = 0 } = await queue.getJobCounts('wait', 'active', 'delayed', 'failed')
  const schedules = queue.name === 'chores' ? await queue.getJobSchedulersCount() : 0
  return { waiting: wait + inOutbox, active, delayed: Math.max(0, delayed - schedules), dead: failed }
}

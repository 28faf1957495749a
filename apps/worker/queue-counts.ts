// How many jobs a queue has, as an operator means it: a chore whose time has not come is not one that was put off.
import type { Queue } from 'bullmq'

export type Counts = { waiting: number; active: number; delayed: number; dead: number }

export async function countJobs(queue: Queue): Promise<Counts> {
  const [counts, schedules] = await Promise.all([
    queue.getJobCounts('wait', 'active', 'delayed', 'failed'),
    queue.name === 'chores' ? queue.getJobSchedulersCount() : 0,
  ])
  const { wait = 0, active = 0, delayed = 0, failed = 0 } = counts
  return { waiting: wait, active, delayed: Math.max(0, delayed - schedules), dead: failed }
}

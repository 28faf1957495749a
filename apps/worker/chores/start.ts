// Starts the chores: each has a schedule in Redis that all workers share, and whoever is free when its time has come does
// it. A database or remote that is down holds it, like any other work.
import type { Job, Queue, Worker } from 'bullmq'
import { retention } from '#shared/queue/queues.ts'
import { retries } from '#shared/queue/retries.ts'
import { type WorkerContext, work } from '../performer/consumer.ts'
import type { Chore } from './index.ts'

type Parts = { context: WorkerContext; queue: Queue; chores: Chore[] }

/** Puts the schedules of `chores` into `queue`; those that are there stay as they are. */
export async function scheduleChores(queue: Queue, chores: Chore[]): Promise<void> {
  for (const { name, pattern } of chores) await queue.upsertJobScheduler(name, { pattern, tz: 'UTC' }, { name, opts: retries })
}

/** Starts to work on the chores whose time has come. */
export function startChores({ context, queue, chores }: Parts): Promise<Worker> {
  // One that only another release knows is left to a worker of that release, which takes it up at one of the next attempts.
  async function run(job: Job, signal: AbortSignal): Promise<void> {
    const chore = chores.find(({ name }) => name === job.name)
    if (!chore) throw new Error(`There is no chore ${job.name}.`)
    const done = await chore.run(signal)
    signal.throwIfAborted()
    context.log.info({ chore: chore.name, ...done }, 'chore done')
    // That it failed some other time is made up for.
    for (const failed of await queue.getFailed()) if (failed.name === job.name) await failed.remove()
  }

  return work({
    context,
    queue,
    keep: retention.chores,
    concurrency: 1,
    prepare: (job) => (signal) => run(job, signal),
    onDead: () => Promise.resolve(),
  })
}

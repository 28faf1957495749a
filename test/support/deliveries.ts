// What ingest has put into the `deliveries` queue, for tests that run no worker.
import { type Delivery, deliverySchema } from '#shared/event/delivery.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import type { Stage } from './stage.ts'
import { until } from './until.ts'

export type Deliveries = {
  /** The ids of all of them, oldest first. */
  ids: () => Promise<string[]>
  count: () => Promise<number>
  find: (id: string) => Promise<Delivery | undefined>
  /** The same of one that was answered 202; it is waited for, since it may go by the spool where Redis is slow. */
  taken: (id: string) => Promise<Delivery>
}

export function deliveriesOf({ redis, environment }: Pick<Stage, 'redis' | 'environment'>): Deliveries {
  const queue = openQueue({ redis, prefix: environment.REDIS_PREFIX ?? '' }, 'deliveries')
  const find = async (id: string) => {
    const job = await queue.getJob(deliveryJobId(id))
    return job && deliverySchema.parse(job.data)
  }
  return {
    ids: async () => (await queue.getJobs(['waiting'], 0, -1, true)).map(({ data }) => deliverySchema.parse(data).id),
    count: () => queue.getWaitingCount(),
    find,
    taken: (id) => until(() => find(id), `${id} is in the queue`),
  }
}

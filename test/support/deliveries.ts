// What ingest has put into the `deliveries` queue, for tests that run no worker.
import { type Delivery, deliverySchema } from '#shared/event/delivery.ts'
import { deliveryJobId, openQueue } from '#shared/queue/queues.ts'
import type { Stage } from './stage.ts'

export type Deliveries = {
  /** The ids of all of them, oldest first. */
  ids: () => Promise<string[]>
  count: () => Promise<number>
  find: (id: string) => Promise<Delivery | undefined>
}

export function deliveriesOf({ redis, environment }: Pick<Stage, 'redis' | 'environment'>): Deliveries {
  const queue = openQueue({ redis, prefix: environment.REDIS_PREFIX ?? '' }, 'deliveries')
  return {
    ids: async () => (await queue.getJobs(['waiting'], 0, -1, true)).map(({ data }) => deliverySchema.parse(data).id),
    count: () => queue.getWaitingCount(),
    async find(id) {
      const job = await queue.getJob(deliveryJobId(id))
      return job && deliverySchema.parse(job.data)
    },
  }
}

// Adds many deliveries to the `deliveries` queue in one step.

import type { Delivery } from '#shared/event/delivery.ts'
import { addingJobs } from '#shared/queue/add-jobs.ts'
import { deliveryJobId, keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'
import { script } from '#shared/queue/redis-script.ts'

const add = script(`${addingJobs}
local queue, now = ARGV[1], ARGV[2]
serial(queue)
for i = 3, #ARGV, 2 do addJob(queue, ARGV[i], 'delivery', ARGV[i + 1], '{}', now) end
wake(queue)
return 1`)

export type AddDeliveries = (deliveries: Delivery[]) => Promise<void>

/** Adds `deliveries` in their order; one that is in the queue already stays as it is. All of them are added, or none. */
export function addDeliveriesTo({ redis, prefix }: QueuePlace): AddDeliveries {
  const queue = `${keyPrefix(prefix)}:deliveries:`

  return async function addDeliveries(deliveries) {
    const jobs = deliveries.flatMap((delivery) => [deliveryJobId(delivery.id), JSON.stringify(delivery)])
    await add(redis, [`${queue}wait`], [queue, Date.now(), ...jobs])
  }
}

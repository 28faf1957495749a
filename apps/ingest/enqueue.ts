// Puts a delivery into the `deliveries` queue. The job's id comes from the delivery's, so a repeat is a no-op: also
// after an add that timed out here although Redis had carried it out.
import type { Queue } from 'bullmq'
import type { Delivery } from '#shared/delivery.ts'
import { Unavailable } from '#shared/errors.ts'
import { deliveryJobId } from '#shared/queues.ts'

/** An add that has not come back after `patience` ms counts as failed: GitLab must have its answer within 2 s. */
export function enqueue(queue: Queue, patience = 1200) {
  return async function accept(delivery: Delivery): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Unavailable(`Redis did not take the delivery within ${patience} ms.`)), patience)
    })
    try {
      await Promise.race([queue.add('delivery', delivery, { jobId: deliveryJobId(delivery.id) }), late])
    } finally {
      clearTimeout(timer)
    }
  }
}

// Puts a delivery into the `deliveries` queue. The job's id comes from the delivery's, so a repeat is a no-op: also
// after an add that timed out here although Redis had carried it out.
import type { Queue } from 'bullmq'
import type { Delivery } from '#shared/delivery.ts'
import { Unavailable } from '#shared/errors.ts'
import { deliveryJobId } from '#shared/queues.ts'
import type { Accept } from './hooks.ts'

const lookMs = 100

/**
 * An add that has not come back after about `patience` ms counts as failed: GitLab must have its answer within 2 s. All
 * adds share one timer, since two for each of them were a tenth of what a request costs.
 */
export function enqueue(queue: Queue, patience = 1100): Accept {
  const waiting = new Set<{ since: number; giveUp: () => void }>()
  setInterval(() => {
    const latest = Date.now() - patience
    for (const add of waiting) {
      if (add.since > latest) return
      add.giveUp()
    }
  }, lookMs).unref()

  return function accept(delivery: Delivery): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => end(() => reject(new Unavailable(`Redis did not take the delivery within ${patience} ms.`)))
      const add = { since: Date.now(), giveUp }
      const end = (settle: () => void) => {
        waiting.delete(add)
        settle()
      }
      waiting.add(add)
      queue.add('delivery', delivery, { jobId: deliveryJobId(delivery.id) }).then(
        () => end(resolve),
        (error: unknown) => end(() => reject(error)),
      )
    })
  }
}

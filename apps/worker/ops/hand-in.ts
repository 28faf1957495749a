// Hands deliveries in again, in order, without filling Redis faster than the router empties it.
import { setTimeout as pause } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Delivery } from '#shared/delivery.ts'
import { deliveryJobId } from '#shared/queues.ts'

const mostWaiting = 5000
const lookEvery = 500

/** Adds each delivery to the queue; one that is in it already stays as it is. Answers how many were handed in. */
export async function handIn(queue: Queue, deliveries: AsyncIterable<Delivery>): Promise<number> {
  let count = 0
  for await (const delivery of deliveries) {
    if (count % lookEvery === 0) await room(queue)
    await queue.add('delivery', delivery, { jobId: deliveryJobId(delivery.id) })
    count += 1
  }
  return count
}

async function room(queue: Queue): Promise<void> {
  while ((await queue.getWaitingCount()) > mostWaiting) await pause(200)
}

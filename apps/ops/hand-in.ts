// Hands deliveries in again, in order, without filling Redis faster than the router empties it.
import { setTimeout as pause } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Delivery } from '#shared/event/delivery.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'

const mostWaiting = 5000
const lookEvery = 500
const lookMs = 200
const sayAfterMs = 3000

/** `tally` counts what was handed in; `onWait` is told how many deliveries are waited for, when that takes some seconds. */
export type HandInOptions = { tally: { count: number }; signal?: AbortSignal | undefined; onWait?: ((waiting: number) => void) | undefined }

/** Adds each delivery to the queue, until `signal` aborts; one that is in it already stays as it is. */
export async function handIn(queue: Queue, deliveries: AsyncIterable<Delivery>, { tally, signal, onWait }: HandInOptions): Promise<void> {
  // In a Redis that has come back empty this may not have been set again yet.
  await queue.setGlobalConcurrency(1)
  for await (const delivery of deliveries) {
    await queue.add('delivery', delivery, { jobId: deliveryJobId(delivery.id) })
    tally.count += 1
    if (tally.count % lookEvery === 0) await room(queue, signal, onWait)
    if (signal?.aborted) return
  }
}

async function room(queue: Queue, signal: HandInOptions['signal'], onWait: HandInOptions['onWait']): Promise<void> {
  for (let told = Date.now(); !signal?.aborted; ) {
    const waiting = await queue.getWaitingCount()
    if (waiting <= mostWaiting) return
    if (Date.now() - told > sayAfterMs) {
      onWait?.(waiting)
      told = Date.now()
    }
    await pause(lookMs, undefined, { signal }).catch(() => undefined)
  }
}

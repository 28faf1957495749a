// Hands deliveries in again, in order, without filling Redis faster than the router empties it. What an operator let go of
// them stays so.
import { setTimeout as pause } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Delivery } from '#shared/event/delivery.ts'
import { router } from '#shared/journal/entry.ts'
import { rememberLetGo } from '#shared/queue/let-go.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import type { OpsContext } from './context.ts'

const mostWaiting = 5000
const lookEvery = 500
const lookMs = 200
const sayAfterMs = 3000

/** How many deliveries were handed in, how many of their effects stay let go, and how many deliveries nobody could read and somebody let go. */
export type HandedIn = { count: number; letGo: number; leftOut: number }

/**
 * `tally` counts, from nothing; `rate` is how many a second; `onWait` is told how many deliveries are waited for, when that takes
 * some seconds; `onProgress` how many were handed in.
 */
export type HandInOptions = {
  tally: HandedIn
  signal?: AbortSignal | undefined
  rate?: number | undefined
  onWait?: ((waiting: number) => void) | undefined
  onProgress?: ((done: number) => void) | undefined
}

/** Nothing handed in yet. */
export const nothingYet = (): HandedIn => ({ count: 0, letGo: 0, leftOut: 0 })

/** Adds each delivery to the queue, until `signal` aborts; one that is in it already stays as it is. */
export async function handIn(context: OpsContext, deliveries: AsyncIterable<Delivery>, options: HandInOptions): Promise<void> {
  const { tally, signal, rate, onWait, onProgress } = options
  const queue = context.queues.deliveries
  // In a Redis that has come back empty this may not have been set again yet.
  await queue.setGlobalConcurrency(1)
  const letGo = await letGoOf(context)
  let next = Date.now()
  for await (const delivery of deliveries) {
    const { effects, isWhole } = await letGo(delivery.id)
    tally.letGo += effects
    if (isWhole) tally.leftOut += 1
    else {
      await queue.add('delivery', delivery, { jobId: deliveryJobId(delivery.id) })
      tally.count += 1
      onProgress?.(tally.count)
      if (tally.count % lookEvery === 0) await room(queue, signal, onWait)
      next = Math.max(Date.now(), next + 1000 / (rate ?? Number.POSITIVE_INFINITY))
      if (rate !== undefined) await pause(next - Date.now(), undefined, { signal }).catch(() => undefined)
    }
    if (signal?.aborted) return
  }
}

// What was let go of a delivery, which Redis is reminded of: it may have been lost since. `isWhole`: the delivery itself.
async function letGoOf({ database, redis, prefix }: OpsContext) {
  const all = database.selectFrom('effects').select(['id', 'sink']).where('state', '=', 'discarded')
  if ((await all.limit(1).executeTakeFirst()) === undefined) return () => Promise.resolve({ effects: 0, isWhole: false })
  return async (delivery: string) => {
    const found = await all.where('delivery', '=', delivery).execute()
    const effects = found.flatMap(({ id, sink }) => (sink === router ? [] : [id]))
    await rememberLetGo({ redis, prefix }, effects)
    return { effects: effects.length, isWhole: found.length > effects.length }
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

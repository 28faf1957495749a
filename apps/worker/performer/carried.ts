// The effect that a job carries; and of a job that carries none, what there is to be told of it.
import type { Job } from 'bullmq'
import { z } from 'zod'
import { type Effect, effectSchema } from '#shared/event/effect.ts'
import { Permanent } from '#shared/process/errors.ts'

/** Throws `Permanent` when the job carries none. */
export function effectOf(job: Job): Effect {
  const effect = effectSchema.safeParse(job.data)
  if (!effect.success) throw new Permanent(`Job ${job.id} does not carry an effect.`)
  return effect.data
}

const orderSchema = z.looseObject({ order: z.string() })

/** The effect that the job of `sink` carries; without one, what its id and its place tell. */
export function whatIs(job: Job, sink: string): Effect {
  const { data: effect } = effectSchema.safeParse(job.data)
  if (effect) return effect
  const id = job.id ?? ''
  const { data } = orderSchema.safeParse(job.data)
  return { id, delivery: deliveryIn(id), sink, order: data?.order ?? '', since: new Date(job.timestamp).toISOString(), data: null }
}

// The ids of effects begin with that of their delivery.
function deliveryIn(id: string): string {
  const [delivery = ''] = id.split('/')
  try {
    return decodeURIComponent(delivery)
  } catch {
    return delivery
  }
}

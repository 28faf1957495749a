// All the queues: those that are there whatever sinks there are, and one for each sink.
import type { Queue } from 'bullmq'
import { openQueue } from '#shared/queue/open-queue.ts'
import type { QueuePlace } from '#shared/queue/queues.ts'
import { sinkNames } from './registry.ts'

/** What deliveries go through: they wait for the router, effects for their sink's performer, journal entries for the recorder. */
export const flowNames = ['deliveries', ...sinkNames, 'journal'] as const

/** Every queue. In `chores` the next turn of each chore always waits. */
export const queueNames = [...flowNames, 'chores'] as const
export type QueueName = (typeof queueNames)[number]

export type Queues = Record<QueueName, Queue>

/** All the queues, by name. */
export function openQueues(place: QueuePlace): Queues {
  const open = (name: QueueName) => openQueue(place, name)
  // As many as there are names.
  return Object.fromEntries(queueNames.map((name) => [name, open(name)])) as Queues
}

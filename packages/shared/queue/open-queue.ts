// A BullMQ queue, with the options that all queues have. Ingest adds its jobs without BullMQ, and need not load it.
import { Queue } from 'bullmq'
import { keyPrefix, type QueuePlace } from './queues.ts'

/** The queue of this name. Its errors are told by whoever uses its connection. */
export function openQueue({ redis, prefix }: QueuePlace, name: string): Queue {
  const queue = new Queue(name, {
    connection: redis,
    prefix: keyPrefix(prefix),
    streams: { events: { maxLen: 100 } },
  })
  return queue.on('error', () => undefined)
}

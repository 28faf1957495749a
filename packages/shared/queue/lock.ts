// The lock of a job that is under way, as BullMQ keeps it.
import type { Job, Queue } from 'bullmq'

/** The key of the lock, and the value it has while the job is ours. */
export type Lock = { key: string; token: string }

/** The lock of a job of `queue`, of which `token` is what its worker was given. */
export function lockOf(queue: Queue, { id = '' }: Pick<Job, 'id'>, token: string): Lock {
  return { key: `${queue.toKey(id)}:lock`, token }
}

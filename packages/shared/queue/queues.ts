// Redis connections, and the names and options of what is in Redis that all processes must agree on.
import { connectRedis, type Redis } from './redis.ts'

/** The job of a delivery. BullMQ refuses ids that are whole numbers or have a colon. */
export function deliveryJobId(id: string): string {
  return `delivery/${encodeURIComponent(id)}`
}

/** The id of the delivery that the job `id` carries. */
export function deliveryIdOf(id: string): string {
  return id.startsWith('delivery/') ? decodeURIComponent(id.slice('delivery/'.length)) : id
}

export type QueuePlace = { redis: Redis; prefix: string }

/**
 * A connection for something that waits as long as Redis is away: workers, and what they write.
 * Commands are kept and sent when Redis is back.
 */
export function patientRedis(url: string): Redis {
  return connectRedis(url, { patient: true })
}

/**
 * A connection for something that must answer now: each command fails at once while Redis is away, and after
 * `commandTimeout` ms, if given, when Redis hangs. A command that timed out may still have been carried out.
 */
export function impatientRedis(url: string, commandTimeout?: number): Redis {
  return connectRedis(url, { patient: false, commandTimeout })
}

/** All keys share one hash tag, so that they live in one slot of a Redis Cluster. */
export function keyPrefix(prefix: string): string {
  return `{${prefix}}`
}

const minutes = 60
const hours = 60 * minutes
const days = 24 * hours

// A repeat of a delivery finds its job while that is kept. GitLab resends for a week; what comes after these days is looked for
// at the remotes.
const recently = { age: 3 * days, count: 20_000 }
const briefly = { age: 1 * hours, count: 1000 }

/**
 * How long done jobs stay, by age in seconds and by number. It is an option of the workers: in each job it would cost 80 bytes.
 * Failed jobs always stay, since the failed set of a queue is its dead letters.
 */
export type Retention = { age?: number; count: number }

/**
 * How long done jobs stay in each queue; those of a sink by the order in which its effects run. The workers are told, so
 * that it need not stand in every job. Failed jobs always stay: the failed set of a queue is its dead letters.
 */
export const retention = {
  deliveries: briefly,
  lane: recently,
  'one-by-one': briefly,
  journal: { count: 0 },
  chores: { count: 100 },
} satisfies Record<string, Retention>

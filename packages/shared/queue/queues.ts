// The BullMQ queues and the Redis connections behind them: names, options, and what both processes must agree on.
import { Queue } from 'bullmq'
import { inWords } from '#shared/process/errors.ts'
import type { Probe } from '#shared/process/health.ts'
import { connectRedis, type Redis } from './redis.ts'

/** The places where events have consequences. `commits` belongs to `phabricator`: it finds tasks in commit messages. */
export const sinkNames = ['phabricator', 'commits', 'gitlab-mentions', 'sse'] as const
export type SinkName = (typeof sinkNames)[number]

/** What deliveries go through: they wait for the router, effects for their sink's performer, journal entries for the recorder. */
export const flowNames = ['deliveries', ...sinkNames, 'journal'] as const

/** Every queue. In `chores` the next turn of each chore always waits. */
export const queueNames = [...flowNames, 'chores'] as const
export type QueueName = (typeof queueNames)[number]

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

/** Whether Redis answers a ping, for `/readyz`. Needs an impatient connection. */
export function redisProbe(redis: Redis): Probe {
  return async () => {
    try {
      await redis.ping()
      return { state: 'up' }
    } catch (error) {
      return { state: 'down', reason: inWords(error) }
    }
  }
}

/** All keys share one hash tag, so that they live in one slot of a Redis Cluster. */
export function keyPrefix(prefix: string): string {
  return `{${prefix}}`
}

export function openQueue({ redis, prefix }: QueuePlace, name: QueueName): Queue {
  const queue = new Queue(name, {
    connection: redis,
    prefix: keyPrefix(prefix),
    streams: { events: { maxLen: 100 } },
  })
  return queue.on('error', () => undefined)
}

export type Queues = Record<QueueName, Queue>

/** All the queues, by name. */
export function openQueues(place: QueuePlace): Queues {
  const open = (name: QueueName) => openQueue(place, name)
  return {
    deliveries: open('deliveries'),
    phabricator: open('phabricator'),
    commits: open('commits'),
    'gitlab-mentions': open('gitlab-mentions'),
    sse: open('sse'),
    journal: open('journal'),
    chores: open('chores'),
  }
}

const minutes = 60
const hours = 60 * minutes
const days = 24 * hours

// A repeat finds what is still here; GitLab resends for a week, and what comes later is looked for.
const recently = { age: 3 * days, count: 20_000 }
const briefly = { age: 1 * hours, count: 1000 }

/**
 * How long done jobs stay, by age in seconds and by number. The workers are told, so that it need not stand in every job.
 * Failed jobs always stay: the failed set of a queue is its dead letters.
 */
export const retention: Record<QueueName, { age?: number; count: number }> = {
  deliveries: briefly,
  phabricator: recently,
  commits: recently,
  'gitlab-mentions': recently,
  sse: briefly,
  journal: { count: 0 },
  chores: { count: 100 },
}

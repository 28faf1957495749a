// Connections to Redis: one server, the primary that Sentinels know, or a Cluster. To everybody else the
// three are one thing, since all keys share one hash tag.
import { Cluster, Redis as Server } from 'ioredis'
import { readRedisUrl, redisForm } from '#shared/process/redis-address.ts'
import { reconnectWhenDemoted } from './redis-refusal.ts'

/** A connection to Redis, whichever of the three it is. */
export type Redis = Server | Cluster

// After a command Redis must say something within this time, or the connection is given up: a network that drops packets
// tells nobody. The longest blocking read, BullMQ's, ends by itself after about 10 s.
const silentMs = 15_000

/** `patient` connections keep commands while Redis is away; the others fail them at once, after `commandTimeout` ms at the latest. */
export type Manner = { patient: true } | { patient: false; commandTimeout?: number | undefined }

/**
 * A connection to the place that `url` names. It connects, and connects again, by itself. Sentinels are asked without a
 * password. Throws when `url` names no place.
 */
export function connectRedis(url: string, manner: Manner): Redis {
  const place = readRedisUrl(url)
  if (!place) throw new Error(redisForm)
  const { kind, nodes, login, database, primary } = place
  const timeout = manner.patient ? undefined : manner.commandTimeout
  const each = {
    ...login,
    connectTimeout: 2000,
    socketTimeout: silentMs,
    disableClientInfo: true,
    maxRetriesPerRequest: manner.patient ? null : 1,
    ...(timeout !== undefined && { commandTimeout: timeout }),
  }
  const retry = (times: number) => Math.min(50 * times, manner.patient ? 2000 : 500)
  const enableOfflineQueue = manner.patient
  if (kind === 'cluster') return quiet(new Cluster(nodes, { redisOptions: each, enableOfflineQueue, clusterRetryStrategy: retry }))
  const one = { ...each, db: database, enableOfflineQueue, retryStrategy: retry, reconnectOnError: reconnectWhenDemoted() }
  if (kind === 'server') return quiet(new Server({ ...one, ...nodes[0] }))
  return quiet(new Server({ ...one, sentinels: nodes, name: primary, sentinelRetryStrategy: retry }))
}

/** Another connection to the same place, for commands that block. */
export function besides(redis: Redis): Redis {
  return quiet(redis instanceof Cluster ? redis.duplicate() : redis.duplicate())
}

// ioredis throws away a connection's errors if nobody listens; each command reports its own.
function quiet<R extends Redis>(redis: R): R {
  redis.on('error', () => undefined)
  return redis
}

// A delivery that is to outlive a failover must be on a replica before its 202: Redis is asked to wait for that.
import { Unavailable } from '#shared/process/errors.ts'
import { keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'
import type { AddDeliveries } from './add-deliveries.ts'

const waitMs = 500

/**
 * Adds as `add` does, and rejects where not so many `replicas` have it after half a second. Then Redis may have it all the
 * same. `redis` must be the connection of `add`.
 */
export function onReplicas({ redis, prefix }: QueuePlace, replicas: number, add: AddDeliveries): AddDeliveries {
  if (replicas === 0) return add
  let connections = 0
  redis.on('ready', () => (connections += 1))

  return async function addOnReplicas(deliveries) {
    const before = connections
    await add(deliveries)
    // WAIT counts the replicas that have what this connection wrote last. A repeat writes nothing, so something is written here
    // on purpose.
    await redis.set(`${keyPrefix(prefix)}:waited`, '1')
    const having = await redis.wait(replicas, waitMs)
    if (having < replicas) throw new Unavailable(`${having} of ${replicas} replicas have the delivery after ${waitMs} ms.`)
    if (connections !== before) throw new Unavailable('The connection to Redis was lost while replicas were waited for.')
  }
}

// How a delivery becomes durable: in Redis, or, when Redis does not take it or older ones wait in the spool, there.
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import type { Accept } from '../hooks/route.ts'
import type { Spool } from './spool.ts'

export function acceptThrough({ spool, enqueue, log }: { spool: Spool; enqueue: Accept; log: Log }): Accept {
  return async function accept(delivery) {
    if (spool.isEmpty()) {
      try {
        return await enqueue(delivery)
      } catch (error) {
        if (spool.isEmpty()) log.warn({ reason: inWords(error) }, 'Redis does not take deliveries: spooling')
      }
    }
    await spool.keep(delivery)
  }
}

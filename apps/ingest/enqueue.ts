// Puts deliveries into the `deliveries` queue. Those that have come by the end of a turn of the event loop go together.
// The job's id comes from the delivery's, so a repeat is a no-op: also after an add that timed out here although Redis had
// carried it out.
import type { Delivery } from '#shared/delivery.ts'
import { Unavailable } from '#shared/errors.ts'
import type { AddDeliveries } from './add-deliveries.ts'
import type { Accept } from './hooks.ts'

const lookMs = 100
// Not too many: while Redis takes one group the next ones are read.
const groupMost = 8
const groupBytes = 1024 * 1024

type Waiting = { delivery: Delivery; since: number; resolve: () => void; reject: (error: unknown) => void }

/**
 * An add that has not come back after about `patience` ms counts as failed: GitLab must have its answer within 2 s. All
 * of them share one timer, since two for each were a tenth of what a request costs.
 */
export function enqueue(addDeliveries: AddDeliveries, patience = 1100): Accept {
  const waiting = new Set<Waiting>()
  let group: Waiting[] = []
  let bytes = 0

  setInterval(() => {
    const latest = Date.now() - patience
    for (const add of waiting) {
      if (add.since > latest) return
      waiting.delete(add)
      add.reject(new Unavailable(`Redis did not take the delivery within ${patience} ms.`))
    }
  }, lookMs).unref()

  function flush(): void {
    const adds = group
    group = []
    bytes = 0
    if (adds.length === 0) return
    addDeliveries(adds.map(({ delivery }) => delivery)).then(
      () => settle(adds, ({ resolve }) => resolve()),
      (error: unknown) => settle(adds, ({ reject }) => reject(error)),
    )
  }

  function settle(adds: Waiting[], how: (add: Waiting) => void): void {
    for (const add of adds) if (waiting.delete(add)) how(add)
  }

  return function accept(delivery: Delivery): Promise<void> {
    return new Promise((resolve, reject) => {
      const add = { delivery, since: Date.now(), resolve, reject }
      waiting.add(add)
      if (group.push(add) === 1) setImmediate(flush)
      bytes += delivery.body.length
      if (group.length >= groupMost || bytes > groupBytes) flush()
    })
  }
}

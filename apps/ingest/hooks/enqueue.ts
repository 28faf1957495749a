// Puts deliveries into the `deliveries` queue. Those that have come by the end of a turn of the event loop go together.
// The job's id comes from the delivery's, so a repeat is a no-op: also after an add that timed out here although Redis had
// carried it out.
import type { Delivery } from '#shared/event/delivery.ts'
import { Unavailable } from '#shared/process/errors.ts'
import type { AddDeliveries } from './add-deliveries.ts'
import type { Accept } from './route.ts'

const lookMs = 100
// Groups are small, so that Redis works on one while the next is made.
const groupMost = 8
const groupBytes = 1024 * 1024

type Add = { delivery: Delivery; resolve: () => void; reject: (error: unknown) => void }
/** What is added in one step; empty when that has come to its end. */
type Group = { adds: Add[]; since: number }

/**
 * An add that has not come back after about `patienceMs` counts as failed: GitLab must have its answer within 2 s. All
 * of them share one timer, since two for each were a tenth of what a request costs.
 */
export function enqueue(addDeliveries: AddDeliveries, patienceMs = 1100): Accept {
  // In the order in which they were sent, which is the order in which Redis answers. A list, since V8 rebuilds a set every few
  // additions and removals, and its old tables keep what they held alive for some collections.
  const sent: Group[] = []
  let group: Add[] = []
  let bytes = 0

  // What has come while this process was busy, or the machine had no time for it, is read first.
  setInterval(() => setImmediate(giveUp), lookMs).unref()

  function giveUp(): void {
    const late = new Unavailable(`Redis did not take the delivery within ${patienceMs} ms.`)
    const latest = Date.now() - patienceMs
    for (const one of sent.filter(({ since }) => since <= latest)) settle(one, ({ reject }) => reject(late))
  }

  function flush(): void {
    if (group.length === 0) return
    const leaving: Group = { adds: group, since: Date.now() }
    sent.push(leaving)
    group = []
    bytes = 0
    addDeliveries(leaving.adds.map(({ delivery }) => delivery)).then(
      () => settle(leaving, ({ resolve }) => resolve()),
      (error: unknown) => settle(leaving, ({ reject }) => reject(error)),
    )
  }

  function settle(which: Group, how: (add: Add) => void): void {
    const { adds } = which
    which.adds = []
    while (sent[0]?.adds.length === 0) sent.shift()
    adds.forEach(how)
  }

  return function accept(delivery: Delivery): Promise<void> {
    return new Promise((resolve, reject) => {
      if (group.push({ delivery, resolve, reject }) === 1) setImmediate(flush)
      bytes += delivery.body.length
      if (group.length >= groupMost || bytes > groupBytes) flush()
    })
  }
}

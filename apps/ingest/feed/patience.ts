// Whom the feed disconnects: readers that have taken nothing for long, and, when too much waits for all slow readers together,
// those for whom the most waits. They can come back to where they were.
import { backlogOf, type Subscriber } from './subscriber.ts'

export const mostWaitingBytes = 64 * 1024 * 1024
// After a burst something waits for every reader, mostly the same bytes. Only for how long something has waited tells who is
// slow.
const burstMs = 5000

/** Those to be let go at the time `now` (ms), each with the reason. */
export function impatientWith(subscribers: Iterable<Subscriber>, patienceMs: number, now: number): Array<[Subscriber, string]> {
  const slow: Array<{ subscriber: Subscriber; bytes: number }> = []
  const stuck: Array<[Subscriber, string]> = []
  for (const subscriber of subscribers) {
    const backlog = backlogOf(subscriber, now)
    if (!backlog) continue
    if (now - backlog.stuckSince >= patienceMs) stuck.push([subscriber, 'it takes nothing'])
    else if (now - backlog.since >= burstMs) slow.push({ subscriber, bytes: backlog.bytes })
  }
  slow.sort((a, b) => b.bytes - a.bytes)
  let waiting = slow.reduce((sum, { bytes }) => sum + bytes, 0)
  const tooMuch = slow.filter(({ bytes }) => {
    const isOver = waiting > mostWaitingBytes
    if (isOver) waiting -= bytes
    return isOver
  })
  return [...stuck, ...tooMuch.map(({ subscriber }): [Subscriber, string] => [subscriber, 'too much waits for slow readers'])]
}

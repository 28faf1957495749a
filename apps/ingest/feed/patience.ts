// With whom the feed has no more patience: readers that take nothing for long, and, when what waits for all slow readers
// together is too much, those for whom the most waits. They come back to where they were.
import { backlogOf, type Subscriber } from './subscriber.ts'

export const mostWaitingBytes = 64 * 1024 * 1024
// What goes out in a burst waits for a moment for everybody, and is the same bytes for most of them.
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

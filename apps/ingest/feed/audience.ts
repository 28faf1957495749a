// Everybody who reads the feed. Who has caught up stands in a broadcast group with all who want the same in the same form: when messages
// come, one piece is made for each group and written to all in it. Who is behind, or slow, reads on at its own pace from
// its own place, and comes back to its group when it has caught up.
import { setImmediate as turn } from 'node:timers/promises'
import { partsOf } from '#shared/event/cursor.ts'
import type { CatchUp } from './catch-up.ts'
import type { FeedMetrics } from './metrics.ts'
import { mostWaitingBytes } from './patience.ts'
import { mostFrames, pieceOf } from './piece.ts'
import { finish, put, type Subscriber } from './subscriber.ts'
import type { Batch, Tail } from './tail.ts'

export type Audience = {
  /** Serves `subscriber` from its place on. */
  add: (subscriber: Subscriber) => void
  remove: (subscriber: Subscriber) => void
  /** How far behind (ms) the one is that is furthest behind. */
  lag: () => number
}

type Parts = {
  tail: Tail
  catchUp: CatchUp
  readerBytes: number
  measures: FeedMetrics
}

const turnMs = 1

/** At most about `readerBytes` wait for each subscriber in a group, and less where there are very many groups. */
export function openAudience({ tail, catchUp, readerBytes, measures }: Parts): Audience {
  const groups = new Map<string, Set<Subscriber>>()
  const behind = new Set<Subscriber>()

  // Whoever follows may be back in a group at once, or in a new one: only those are meant who are there now.
  tail.listen(async (batch) => {
    const isLate = clock()
    const allowed = Math.min(readerBytes, mostWaitingBytes / groups.size)
    for (const members of Array.from(groups.values())) {
      if (batch) await hand(members, batch, allowed, isLate)
      else Array.from(members).forEach(begin)
    }
  })

  // Writes the batch to all in the circle, a few at a time, so that hooks come in between. A subscriber leaves the circle and
  // follows by itself when it stands elsewhere in the feed, when too much waits for it already, or when its filter is costly.
  async function hand(members: Set<Subscriber>, { after, frames }: Batch, allowed: number, isLate: () => boolean): Promise<void> {
    const [one] = members
    if (!one) return
    if (mostFrames(one.filter) < frames.length) return Array.from(members).forEach(follow)
    const piece = pieceOf(frames, one, Number.POSITIVE_INFINITY)
    if (!piece) return
    const { bytes, count, cursor } = piece
    let reached = 0
    for (const member of Array.from(members)) {
      if (!members.has(member) || member.response.writableEnded || member.cursor === cursor) continue
      const isNext = member.cursor === undefined || member.cursor === after
      if (!isNext || (count > 0 && member.response.writableLength + bytes.length > allowed)) {
        follow(member)
        continue
      }
      member.cursor = cursor
      if (count === 0) continue
      member.told = cursor
      put(member, bytes)
      reached += 1
      if (isLate()) await turn()
    }
    if (isLate()) await turn()
    measures.messages.inc(reached * count)
    measures.bytes.inc(reached * bytes.length)
  }

  function begin(subscriber: Subscriber): void {
    subscriber.isUnproven = true
    follow(subscriber)
  }

  function follow(subscriber: Subscriber): void {
    part(subscriber)
    behind.add(subscriber)
    void catchUp(subscriber, () => join(subscriber))
  }

  function join(subscriber: Subscriber): void {
    behind.delete(subscriber)
    if (subscriber.bound) finish(subscriber)
    else stand(subscriber)
  }

  function stand(subscriber: Subscriber): void {
    if ((subscriber.filter.since ?? 0) <= Date.now()) subscriber.filter = subscriber.live
    const key = groupOf(subscriber)
    const members = groups.get(key) ?? new Set()
    groups.set(key, members.add(subscriber))
  }

  function part(subscriber: Subscriber): void {
    const key = groupOf(subscriber)
    const members = groups.get(key)
    if (members?.delete(subscriber) && members.size === 0) groups.delete(key)
  }

  return {
    add: follow,
    remove(subscriber) {
      part(subscriber)
      behind.delete(subscriber)
    },
    lag() {
      let oldest = Number.POSITIVE_INFINITY
      for (const { cursor, bound } of behind) if (cursor !== undefined && !bound) oldest = Math.min(oldest, partsOf(cursor)[0])
      return Math.max(0, Math.min(Date.now(), timeOfNewest()) - oldest)
    },
  }

  function timeOfNewest(): number {
    return partsOf(tail.newest() ?? '0-0')[0]
  }
}

function groupOf({ form, filter }: Subscriber): string {
  return `${form.name} ${filter.key}`
}

// A function that answers true when about a millisecond has passed since it last did, or since it was made: time to let the
// event loop go on.
function clock(): () => boolean {
  let began = performance.now()
  return function isLate() {
    const now = performance.now()
    if (now - began < turnMs) return false
    began = now
    return true
  }
}

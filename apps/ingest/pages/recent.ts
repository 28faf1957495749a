// The newest events, for whoever opens the page: what is in memory anyway, read once each.
import type { Cursor } from '#shared/event/cursor.ts'
import { messageSchema } from '#shared/event/message-schema.ts'
import { readObject } from '#shared/process/json.ts'
import { filterOf, type Wish } from '../feed/filter.ts'
import type { Frame } from '../feed/frame.ts'
import type { Hidden } from '../feed/hidden.ts'
import { mostFrames } from '../feed/piece.ts'
import type { Tail } from '../feed/tail.ts'
import { type Told, told } from './assets/told.js'

/** `events` are newest first; all up to `cursor` has been looked at. */
export type Recent = { cursor: Cursor | undefined; events: Array<Told & { cursor: Cursor }> }

const most = 30
const mostLooked = 200

/** Tells the newest events of those that are in memory, at most 30, and only of what is wished for. None until it is known what is hidden. */
export function recentEvents({ tail, hidden }: { tail: Tail; hidden: Hidden | undefined }): (wish: Wish | undefined) => Recent {
  const known = new WeakMap<Frame, Told>()
  let isHiddenKnown = hidden === undefined
  void hidden?.known.then(() => (isHiddenKnown = true))

  function read(frame: Frame): Told | undefined {
    const before = known.get(frame)
    if (before !== undefined) return before
    const { data } = messageSchema.safeParse(readObject(frame.message()))
    if (data === undefined || data.meta.domain === 'canary') return undefined
    const now = told(data)
    known.set(frame, now)
    return now
  }

  return function recent(wish) {
    const filter = filterOf(wish ?? {}, '')
    const looked = !isHiddenKnown ? [] : tail.latest(Math.min(mostLooked, mostFrames(filter)))
    const wanted = looked.filter(
      (frame) => frame.bytes.length > 0 && filter.matches?.(frame.facts()) !== false && hidden?.has(frame) !== true,
    )
    const events = wanted
      .slice(-most)
      .toReversed()
      .flatMap((frame) => {
        const event = read(frame)
        return event === undefined ? [] : [{ ...event, cursor: frame.cursor }]
      })
    return { cursor: tail.newest(), events }
  }
}

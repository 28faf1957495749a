// Messages name the one before them, so that whoever reads them sees a hole.
import { type Cursor, compareCursors } from '#shared/event/cursor.ts'
import type { Link } from '#shared/queue/relay.ts'

/** The first of `links`, as many as follow each other without a hole. */
export function firstChain<L extends Link>(links: L[]): L[] {
  const end = links.findIndex(({ previous }, index) => index > 0 && compareCursors(previous, links[index - 1]?.cursor ?? previous) > 0)
  return end < 0 ? links : links.slice(0, end)
}

/** Those of `links` that follow `after` without a hole. */
export function chainAfter<L extends Link>(after: Cursor, links: L[]): L[] {
  const [first] = links
  return first && compareCursors(first.previous, after) <= 0 ? firstChain(links) : []
}

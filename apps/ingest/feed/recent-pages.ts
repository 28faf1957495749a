// Pages of the history that were read a moment ago. A page serves everybody whose place lies in it, and they leave it at
// the same end: so readers who come back from many places soon read the same pages.
import { type Cursor, compareCursors } from '#shared/event/cursor.ts'
import type { Frame } from './frame.ts'

export type RecentPages = {
  put: (after: Cursor, frames: Frame[]) => void
  /** The frames of a page that follow `cursor`; undefined when no page has that place. */
  after: (cursor: Cursor) => Frame[] | undefined
}

type Page = { after: Cursor; last: Cursor; frames: Frame[]; readAt: number }

const mostPages = 32
const mostBytes = 1024 * 1024 // of one page
const keepMs = 5000

export function openRecentPages(): RecentPages {
  const pages: Page[] = []
  return {
    put(after, frames) {
      const last = frames.at(-1)?.cursor
      if (last === undefined || frames.reduce((sum, { bytes }) => sum + bytes.length, 0) > mostBytes) return
      pages.push({ after, last, frames, readAt: Date.now() })
      if (pages.length > mostPages) pages.shift()
    },
    after(cursor) {
      while (pages[0] && pages[0].readAt < Date.now() - keepMs) pages.shift()
      const page = pages.find(({ after, last }) => compareCursors(after, cursor) <= 0 && compareCursors(cursor, last) < 0)
      return page?.after === cursor ? page.frames : page?.frames.filter((frame) => compareCursors(frame.cursor, cursor) > 0)
    },
  }
}

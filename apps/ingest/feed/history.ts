// What lies before the tail: the relay's own log and, before that, the journal. A hole in the one is looked up in the
// other; what neither has is a gap. Pages are shared, and few are read at a time, so that a crowd that comes back at once
// costs little more than one reader.
import { setTimeout as pause } from 'node:timers/promises'
import { beginning, type Cursor, compareCursors, partsOf } from '#shared/event/cursor.ts'
import type { Relay } from '#shared/queue/relay.ts'
import { semaphore } from '../semaphore.ts'
import { chainAfter } from './chain.ts'
import { type Frame, frameOf } from './frame.ts'
import type { FeedJournal, StoredEntry } from './journal.ts'
import { openRecentPages } from './recent-pages.ts'

/** The frames that follow a place without a hole; or the end of the hole that begins there. */
export type Passage = { frames: Frame[] } | { gapTo: Cursor }

export type History = {
  /** What comes after `after`; undefined when there is nothing. Rejects while what must be asked is away. */
  read: (after: Cursor) => Promise<Passage | undefined>
  /** Has what comes after `after` read, since somebody is about to ask for it. */
  readAhead: (after: Cursor) => void
  /** The newest cursor there is anywhere. */
  newest: () => Promise<Cursor>
  /** The newest of those that can be read now: that of the relay, if it has any. */
  newestNow: () => Promise<Cursor>
}

const pageMessages = 100
const pageBytes = 128 * 1024
const atOnce = 4
// The journal is written in no certain order and may lag behind. What it lacks of the last minute counts as lost only after a
// while.
const settleMs = 3000
const settledMs = 60_000
const lookAgainMs = 100

type Look = { frames: Frame[] } | { holeTo: Cursor | undefined }
type Parts = { relay: Relay; journal: FeedJournal | undefined; onRead: () => void }

/** `onRead` is called for each page that is read. */
export function openHistory({ relay, journal, onRead }: Parts): History {
  const recentPages = openRecentPages()
  const inTurn = semaphore(atOnce)
  const underWay = new Map<Cursor, Promise<Passage | undefined>>()

  // Where the relay was seen to begin, or to go on behind a hole: it only grows at its end. Before that place it need not be asked.
  let relayFrom: Cursor | undefined

  async function load(after: Cursor): Promise<Passage | undefined> {
    const isBefore = journal && relayFrom !== undefined && compareCursors(after, relayFrom) < 0
    const inJournal = isBefore ? await inTurn(() => look(after, () => journal.read(after, relayFrom))) : undefined
    if (inJournal && 'frames' in inJournal) return inJournal
    const found = await inTurn(() => look(after, async () => await relay.read(after, pageMessages, { bytes: pageBytes })))
    if ('frames' in found) return found
    relayFrom = found.holeTo
    if (journal) return await loadFrom(journal, after, found.holeTo)
    return found.holeTo === undefined ? undefined : { gapTo: found.holeTo }
  }

  // While this one waited another reader may have read the page.
  async function look(after: Cursor, read: () => Promise<StoredEntry[]>): Promise<Look> {
    const known = recentPages.after(after)
    if (known) return { frames: known }
    onRead()
    const entries = await read()
    const frames = chainAfter(after, entries).map(frameOf)
    if (frames.length === 0) return { holeTo: entries[0]?.previous }
    recentPages.put(after, frames)
    return { frames }
  }

  async function loadFrom(journal: FeedJournal, after: Cursor, end: Cursor | undefined): Promise<Passage | undefined> {
    let recorded: Cursor | undefined // before the last look
    for (const start = Date.now(); ; recorded = await inTurn(() => journal.newest())) {
      const found = await inTurn(() => look(after, () => journal.read(after, end)))
      if ('frames' in found) return found
      const gapTo = found.holeTo ?? end
      if (gapTo === undefined) return undefined
      if (recorded === undefined) continue
      const isOld = Date.now() - partsOf(gapTo)[0] > settledMs && compareCursors(recorded, gapTo) > 0
      if (isOld || Date.now() - start > settleMs) return { gapTo }
      await pause(lookAgainMs)
    }
  }

  function read(after: Cursor): Promise<Passage | undefined> {
    const known = recentPages.after(after)
    if (known) return Promise.resolve({ frames: known })
    const passage = underWay.get(after) ?? load(after).finally(() => underWay.delete(after))
    underWay.set(after, passage)
    return passage
  }

  return {
    read,
    // Whoever asks then is told of what went wrong.
    readAhead: (after) => void read(after).catch(() => undefined),
    async newest() {
      const inRelay = await relay.newest()
      const inJournal = (await journal?.newest()) ?? inRelay
      return compareCursors(inJournal, inRelay) > 0 ? inJournal : inRelay
    },
    async newestNow() {
      const inRelay = await relay.newest()
      return inRelay === beginning && journal ? await journal.newest() : inRelay
    },
  }
}

// How a subscriber catches up: it gets a bounded piece, from the tail's window or from the history; when its connection has
// taken that, the next one. Gaps are announced. Only so many catch up at a time, and in one turn of the event loop only a
// little is done for them.
import { setTimeout as pause } from 'node:timers/promises'
import { beginning, type Cursor, compareCursors } from '#shared/event/cursor.ts'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { semaphore } from '../semaphore.ts'
import { type Bound, endAt, isOver, upTo } from './finite.ts'
import type { Frame } from './frame.ts'
import type { Hidden } from './hidden.ts'
import type { History, Passage } from './history.ts'
import type { FeedMetrics } from './metrics.ts'
import { pieceCutter } from './piece.ts'
import type { InSlice } from './slices.ts'
import { isOpen, room, type Subscriber, write, writeGap } from './subscriber.ts'
import type { Tail } from './tail.ts'

type Parts = {
  tail: Tail
  history: History
  readerBytes: number
  inSlice: InSlice
  log: Log
  measures: FeedMetrics
  hidden?: Hidden | undefined
}

const pieceBytes = 128 * 1024
const awayMs = 1000
// How many may catch up at a time: each of them holds a page of the history and a piece made of it.
const atOnce = 200
const aMomentMs = 1000

export type CatchUp = (subscriber: Subscriber, arrived: () => void) => Promise<void>

/**
 * `arrived` is called synchronously when the subscriber has everything, so that no message can come in between. Resolves then,
 * or when the subscriber has gone.
 */
export function catcherUp({ tail, history, readerBytes, inSlice, log, measures, hidden }: Parts): CatchUp {
  const inTurn = semaphore(atOnce)
  const cut = pieceCutter(Math.min(pieceBytes, readerBytes), hidden)

  return async function catchUp(subscriber, arrived) {
    // From now on is from its coming on: nothing may be published between the two.
    if (subscriber.cursor === undefined && hasAll(subscriber)) return arrived()
    try {
      await hidden?.known
      while (subscriber.bound && isOpen(subscriber) && !(await fix(subscriber, subscriber.bound))) await pause(awayMs)
      while (isOpen(subscriber)) {
        await room(subscriber)
        if (subscriber.bound ? isOver(subscriber.bound, subscriber.cursor) : hasAll(subscriber)) return arrived()
        if (subscriber.cursor === undefined) await tail.next()
        else await inTurn(() => step(subscriber, subscriber.cursor))
      }
    } catch (error) {
      log.warn({ reason: inWords(error) }, 'stream broke off')
      subscriber.response.destroy()
    }
  }

  function hasAll(subscriber: Subscriber): boolean {
    const newest = tail.newest()
    if (newest === undefined) return false
    // A subscriber without a cursor wants what comes from now on: it begins behind the newest message, if there is one.
    if (subscriber.cursor === undefined && newest !== beginning) subscriber.cursor = newest
    if (subscriber.cursor === undefined || subscriber.cursor === newest) return true
    if (subscriber.isUnproven || tail.after(subscriber.cursor)?.length !== 0) return false
    // It may have read further in the history than the tail has come. Then it must not get these messages again.
    if (compareCursors(newest, subscriber.cursor) > 0) subscriber.cursor = newest
    return true
  }

  // An answer with an end has what is there when its reader comes. False while nobody can tell what that is.
  async function fix(subscriber: Subscriber, bound: Bound): Promise<boolean> {
    const newest = await inTurn(() => history.newestNow()).catch(away)
    if (newest === 'away') return false
    const isBeyond = subscriber.isUnproven && compareCursors(subscriber.cursor ?? beginning, newest) > 0
    if (isBeyond && isOpen(subscriber)) writeGap(subscriber, newest, measures)
    endAt(bound, newest)
    return true
  }

  async function step(subscriber: Subscriber, cursor = beginning): Promise<void> {
    if (!isOpen(subscriber)) return
    const window = tail.after(cursor)
    // The tail may be behind where an answer ends.
    const isThere = window !== undefined && (window.length > 0 || !subscriber.bound)
    const passage = !isThere ? await history.read(cursor).catch(away) : window.length > 0 ? { frames: window } : undefined
    if (!isOpen(subscriber)) return
    if (passage === 'away') await pause(awayMs)
    else if (passage === undefined) await (subscriber.isUnproven ? prove(subscriber) : wait(subscriber))
    else if ('gapTo' in passage) tell(subscriber, passage)
    else {
      if (!isThere) readAhead(subscriber, passage.frames.at(-1)?.cursor)
      await inSlice(() => pass(subscriber, passage.frames))
    }
    await room(subscriber, aMomentMs)
  }

  // While a page is written the next one is read.
  function readAhead({ bound }: Subscriber, last: Cursor = beginning): void {
    if (tail.after(last) === undefined && !(bound && isOver(bound, last))) history.readAhead(last)
  }

  // Nothing comes after its cursor now. That is the end of an answer that has one.
  async function wait(subscriber: Subscriber): Promise<void> {
    if (subscriber.bound) reachEnd(subscriber, subscriber.bound)
    else await pause(awayMs)
  }

  function pass(subscriber: Subscriber, frames: Frame[]): void {
    if (!isOpen(subscriber)) return
    const [first] = frames
    // Its cursor lies between two messages, so the feed never gave it: it is told of a gap.
    if (first && subscriber.isUnproven && compareCursors(first.previous, subscriber.cursor ?? beginning) < 0)
      writeGap(subscriber, first.previous, measures)
    subscriber.isUnproven = false
    const piece = cut(subscriber.bound ? upTo(subscriber.bound, frames) : frames, subscriber)
    if (piece) write(subscriber, piece, measures)
    else if (subscriber.bound) reachEnd(subscriber, subscriber.bound)
  }

  function reachEnd(subscriber: Subscriber, bound: Bound): void {
    if (!isOver(bound, subscriber.cursor)) subscriber.cursor = bound.to
  }

  function tell(subscriber: Subscriber, { gapTo }: Extract<Passage, { gapTo: string }>): void {
    subscriber.isUnproven = false
    const { bound } = subscriber
    writeGap(subscriber, bound && compareCursors(bound.to, gapTo) < 0 ? bound.to : gapTo, measures)
  }

  // Nothing follows its cursor: either that is the newest, or the feed never gave it.
  async function prove(subscriber: Subscriber): Promise<void> {
    const newest = await history.newest().catch(away)
    if (newest === 'away') return await pause(awayMs)
    if (!isOpen(subscriber)) return
    subscriber.isUnproven = false
    if (compareCursors(subscriber.cursor ?? beginning, newest) > 0) writeGap(subscriber, newest, measures)
  }
}

function away(): 'away' {
  return 'away'
}

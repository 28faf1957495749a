// Hands over what is in the spool, in order: files that others left, oldest first, then our own, to which new deliveries are
// still being appended.
import { appendFile, unlink } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Delivery } from '#shared/event/delivery.ts'
import type { Log } from '#shared/process/log.ts'
import type { Accept } from '../hooks/route.ts'
import type { Adopted } from './adopted.ts'
import type { SpoolFile } from './file.ts'
import { ageOf } from './names.ts'
import { unlessGone } from './orphans.ts'
import { readRecords } from './record.ts'
import type { Waiting } from './waiting.ts'

type Parts = { own: SpoolFile; adopted: Adopted; waiting: Waiting; signal: AbortSignal; log: Log }

type Part = { path: string; start: number; end?: number; isTurn: () => boolean; each: (to: number) => void }

const longestPause = 2000
const behindMs = 200

/** What it answers hands over all there is, until `signal` aborts. It never rejects, and may be called at any time. */
export function drainInto(handOver: Accept, { own, adopted, waiting, signal, log }: Parts): () => Promise<void> {
  let isDraining = false
  // Up to which offset our own file has been handed over.
  let done = { path: '', to: 0 }

  async function drain(): Promise<void> {
    if (isDraining) return
    isDraining = true
    for (let step = next(); step && !signal.aborted; step = next()) await step()
    isDraining = false
  }

  // What is to be done now; undefined when there is nothing.
  function next(): (() => Promise<void>) | undefined {
    const [path, current] = [adopted.next(), own.current()]
    if ((path !== undefined || current) && isBehind()) return waitForOthers
    if (path !== undefined) return () => emptyAdopted(path)
    if (current) return () => emptyOwn(current)
    waiting.only(undefined)
    return undefined
  }

  function isBehind(): boolean {
    const current = own.current()
    return adopted.isBehind(current && ageOf(current.path))
  }

  async function waitForOthers(): Promise<void> {
    await pause(behindMs)
    await adopted.look()
  }

  async function emptyAdopted(path: string): Promise<void> {
    let from = adopted.from(path)
    try {
      const isTurn = () => adopted.next() === path && !isBehind()
      const ended = await unlessGone(() => empty({ path, start: from, isTurn, each: (to) => (from = to) }))
      if (ended === false) return
      await unlessGone(() => unlink(path))
      adopted.done(path)
    } catch (error) {
      adopted.putAside(path, error, from)
    }
  }

  async function emptyOwn({ path, end }: { path: string; end: number }): Promise<void> {
    waiting.only(path)
    if (path !== done.path) {
      done = { path, to: 0 }
      await adopted.look()
    }
    const before = done.to
    const each = (to: number) => {
      done.to = to
      waiting.handedOver(path)
    }
    try {
      const isTurn = () => adopted.next() === undefined && !isBehind()
      const ended = await unlessGone(() => empty({ path, start: before, end, isTurn, each }))
      if (ended === true) await own.finish(done.to)
      else if (ended === undefined) {
        log.warn({ file: path }, 'was silent for so long that another process took the spool file')
        await own.forget(path)
      }
    } catch (error) {
      adopted.putAside(path, error, done.to)
      await own.forget(path)
    }
    if (done.to === before) await pause(10)
  }

  // Hands over the records between two offsets of a file, and tells `each` how far that has come. Answers false when it stopped
  // because an older file came up.
  async function empty({ path, start, end, isTurn, each }: Part): Promise<boolean> {
    for await (const read of readRecords(path, start, end)) {
      if ('broken' in read) await putAside(path, read.broken)
      else if (!(await insist(read.delivery, isTurn))) return false
      each(read.end)
    }
    return true
  }

  // Looks for other files before each new try: while Redis was away a process may have left an older one.
  async function insist(delivery: Delivery, isTurn: () => boolean): Promise<boolean> {
    for (let wait = 50; !signal.aborted && isTurn(); wait = Math.min(2 * wait, longestPause)) {
      try {
        await handOver(delivery)
        return true
      } catch {
        await pause(wait)
        await adopted.look()
      }
    }
    return false
  }

  async function putAside(path: string, broken: Buffer): Promise<void> {
    await appendFile(`${path}.broken`, broken, { mode: 0o600 })
    log.error({ file: `${path}.broken`, bytes: broken.length }, 'put aside what is no record')
  }

  return drain
}

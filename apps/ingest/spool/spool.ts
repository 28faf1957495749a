// Where deliveries are kept while Redis does not take them. As soon as it does they are handed over in order, while new
// ones queue behind; what processes before us left is handed over first.
import { appendFile, unlink } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Delivery } from '#shared/delivery.ts'
import { inWords } from '#shared/errors.ts'
import type { Log } from '#shared/log.ts'
import type { Accept } from '../hooks.ts'
import { spoolFile } from './file.ts'
import { newOwner, sizeOf, takeOrphans, touch, touchMs, unlessGone } from './orphans.ts'
import { readRecords, record } from './record.ts'
import { countWaiting } from './waiting.ts'

export type Spool = {
  /** Resolves when the delivery is on disk. Rejects when it could not be kept. */
  keep: Accept
  /** Whether nothing waits here, so that a new delivery overtakes none. */
  isEmpty: () => boolean
  /** How much waits here, in files of how many bytes, since when (ms since 1970), and why the disk could not be written the last time. */
  state: () => { deliveries: number; bytes: number; since: number | undefined; trouble: string | undefined }
  close: () => Promise<void>
}

const longestPause = 2000

/** The spool in `directory`; `handOver` puts a delivery into Redis. */
export async function openSpool({ directory, handOver, log }: { directory: string; handOver: Accept; log: Log }): Promise<Spool> {
  const owner = newOwner()
  const own = spoolFile(directory, owner)
  const stopped = new AbortController()
  const orphans: string[] = []
  let orphanBytes = 0
  const waiting = countWaiting(() => log.info('Redis takes deliveries again'))
  let trouble: string | undefined
  let draining = false

  async function adopt(): Promise<void> {
    const found = await takeOrphans(directory, owner)
    if (found.length === 0) return
    orphans.push(...found)
    orphanBytes += await sizeOf(found)
    log.warn({ files: found.length }, 'found spool files of processes that are gone')
    void drain()
  }

  async function drain(): Promise<void> {
    if (draining) return
    draining = true
    try {
      for (let path = orphans[0]; path !== undefined && !stopped.signal.aborted; path = orphans[0]) {
        await unlessGone(() => empty(path))
        if (stopped.signal.aborted) return
        await unlessGone(() => unlink(path))
        orphans.shift()
      }
      orphanBytes = 0
      await drainOwn()
    } catch (error) {
      log.error({ reason: inWords(error) }, 'cannot read the spool')
    } finally {
      draining = false
    }
  }

  async function drainOwn(): Promise<void> {
    let at = 0
    for (let current = own.current(); current && !stopped.signal.aborted; current = own.current()) {
      const { path, end } = current
      waiting.only(path)
      const before = at
      const came = await unlessGone(() => empty(path, at, end, () => waiting.handedOver(path)))
      if (came === undefined) {
        log.warn({ file: path }, 'was silent for so long that another process took the spool file')
        await own.forget(path)
      }
      at = came === undefined || (await own.finish(came)) ? 0 : came
      if (at === before) await pause(10)
    }
    if (!stopped.signal.aborted) waiting.only(undefined)
  }

  // Hands over what the file holds between two offsets, and answers where it came to.
  async function empty(path: string, start = 0, end?: number, each: () => void = () => undefined): Promise<number> {
    let at = start
    for await (const read of readRecords(path, start, end)) {
      if ('delivery' in read) await insist(read.delivery)
      else await putAside(path, read.broken)
      if (stopped.signal.aborted) break
      at = read.end
      each()
    }
    return at
  }

  async function insist(delivery: Delivery): Promise<void> {
    for (let wait = 50; !stopped.signal.aborted; wait = Math.min(2 * wait, longestPause)) {
      try {
        return await handOver(delivery)
      } catch {
        await pause(wait)
      }
    }
  }

  // Writes nothing, to see whether the disk would take it.
  async function tryDisk(): Promise<void> {
    try {
      await own.append(Buffer.alloc(0))
      trouble = undefined
    } catch (error) {
      if (trouble === undefined) log.error({ directory, reason: inWords(error) }, 'the spool cannot be written')
      trouble = inWords(error)
    }
  }

  async function maintain(): Promise<void> {
    if (trouble !== undefined) await tryDisk()
    await own.touch()
    await touch(orphans)
    await adopt()
    await drain()
  }

  async function putAside(path: string, broken: Buffer): Promise<void> {
    await appendFile(`${path}.broken`, broken)
    log.error({ file: `${path}.broken`, bytes: broken.length }, 'put aside what is no record')
  }

  await tryDisk()
  await adopt()
  const upkeep = setInterval(() => void maintain(), touchMs)

  return {
    async keep(delivery) {
      const settle = waiting.add()
      try {
        settle(await own.append(record({ ...delivery, again: true })))
        trouble = undefined
      } catch (error) {
        settle()
        trouble = inWords(error)
        throw error
      }
      void drain()
    },
    isEmpty: () => waiting.count() === 0 && orphans.length === 0,
    state: () => ({ deliveries: waiting.count(), bytes: (own.current()?.end ?? 0) + orphanBytes, since: waiting.since(), trouble }),
    async close() {
      stopped.abort()
      clearInterval(upkeep)
      await own.close()
    },
  }
}

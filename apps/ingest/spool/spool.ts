// Where deliveries are kept while Redis does not take them. As soon as it does they are handed over in order, while new
// ones queue behind; what processes before us left is handed over first.
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import type { Accept } from '../hooks/route.ts'
import { adoptFiles } from './adopted.ts'
import { drainInto } from './drain.ts'
import { spoolFile } from './file.ts'
import { newOwner } from './names.ts'
import { touchMs } from './orphans.ts'
import { record } from './record.ts'
import { countWaiting } from './waiting.ts'

export type Spool = {
  /** Resolves when the delivery is on disk. Rejects when it could not be kept. */
  keep: Accept
  /** Whether nothing waits here, so that a new delivery overtakes none. */
  isEmpty: () => boolean
  /**
   * How much waits here, in files of how many bytes, since when (ms since 1970), why the disk could not be written the last
   * time, and which files cannot be read.
   */
  state: () => {
    deliveries: number
    bytes: number
    since: number | undefined
    trouble: string | undefined
    unreadable: { files: number; reason: string } | undefined
  }
  /** Hands everything over to other processes. */
  close: () => Promise<void>
}

const lookMs = 1000

/** The spool in `directory`; `handOver` puts a delivery into Redis. */
export async function openSpool({ directory, handOver, log }: { directory: string; handOver: Accept; log: Log }): Promise<Spool> {
  const owner = newOwner()
  const own = spoolFile(directory, owner)
  const stopped = new AbortController()
  const adopted = adoptFiles({ directory, owner, log })
  const waiting = countWaiting(() => log.info('nothing waits in the spool any more'))
  const drain = drainInto(handOver, { own, adopted, waiting, signal: stopped.signal, log })
  let trouble: string | undefined

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

  async function showLife(): Promise<void> {
    if (trouble !== undefined) await tryDisk()
    await own.touch()
    await adopted.touch()
  }

  async function look(): Promise<void> {
    await adopted.look()
    void drain()
  }

  await tryDisk()
  await look()
  const upkeep = [repeat(showLife, touchMs), repeat(look, lookMs)]

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
    isEmpty: () => waiting.count() === 0 && adopted.next() === undefined && !adopted.isBehind(undefined),
    state: () => ({
      deliveries: waiting.count(),
      bytes: (own.current()?.end ?? 0) + adopted.bytes(),
      since: waiting.since(),
      trouble,
      unreadable: adopted.unreadable(),
    }),
    async close() {
      stopped.abort()
      await Promise.all(upkeep.map((stop) => stop()))
      await own.close()
      await adopted.letGo()
    },
  }
}

// Does `what` every `ms`, one after another; what it answers stops that, and waits for the one under way.
function repeat(what: () => Promise<void>, ms: number): () => Promise<void> {
  let current: Promise<void> | undefined
  const timer = setInterval(() => {
    current ??= what().finally(() => (current = undefined))
  }, ms)
  return async function stop() {
    clearInterval(timer)
    await current
  }
}

// Spool files of other processes: those that were taken over and are to be handed over, oldest first; and whether there are
// others that must be waited for.
import { basename, join } from 'node:path'
import type { Log } from '#shared/process/log.ts'
import { ageOf, byAge, ownerOf } from './names.ts'
import { findFiles, letGo, sizeOf, take, touch } from './orphans.ts'
import { type Strangers, watchStrangers } from './strangers.ts'
import { type Unreadable, watchUnreadable } from './unreadable.ts'

export type Adopted = {
  /** Looks who has files here, and takes those that are nobody's. Never rejects. */
  look: () => Promise<void>
  /** The path of the oldest file that is to be handed over. */
  next: () => string | undefined
  /** The file at `path` has been handed over, or is gone. */
  done: (path: string) => void
  /** The file at `path` could not be read from the offset `from` on: it is tried again later. */
  putAside: (path: string, error: unknown, from: number) => void
  /** From which offset the file at `path` is still to be handed over. */
  from: (path: string) => number
  /**
   * Whether another process has an older file than ours, which was made at `age`, that must be handed over first. Without `age`
   * we have no file, and any other counts.
   */
  isBehind: (age: string | undefined) => boolean
  bytes: () => number
  unreadable: Unreadable['state']
  touch: () => Promise<void>
  letGo: () => Promise<void>
}

export function adoptFiles({ directory, owner, log }: { directory: string; owner: string; log: Log }): Adopted {
  const files = new Map<string, number>()
  const unreadable = watchUnreadable(log)
  const strangers = watchStrangers()

  async function lookOnce(): Promise<void> {
    try {
      const { own, orphans, strangers: others } = await findFiles(directory, owner)
      unreadable.only([...own, ...orphans].map((name) => join(directory, name)))
      tell(strangers, others)
      for (const path of own.map((name) => join(directory, name))) if (isAside(path) && unreadable.isDue(path)) await add(path)
      for (const name of orphans) await adopt(name)
    } catch (error) {
      unreadable.add(directory, error)
    }
  }

  const isAside = (path: string) => unreadable.paths().includes(path)
  const ours = () => [...files.keys(), ...unreadable.paths().filter((path) => ownerOf(basename(path)) === owner)]

  function tell(who: Strangers, names: string[]): void {
    const before = who.areBefore(undefined)
    who.see(names)
    if (!before && who.areBefore(undefined)) log.warn({ files: names.length }, 'spooling behind what a process of another host has spooled')
  }

  async function adopt(name: string): Promise<void> {
    const path = join(directory, name)
    if (!unreadable.isDue(path)) return
    try {
      const ours = await take(directory, name, owner)
      unreadable.delete(path)
      if (ours === undefined) return
      await add(ours)
      log.warn({ file: ours }, 'took the spool file of a process that is gone')
    } catch (error) {
      unreadable.add(path, error)
    }
  }

  async function add(path: string): Promise<void> {
    files.set(path, await sizeOf(path))
  }

  let looking: Promise<void> | undefined
  return {
    look: () => (looking ??= lookOnce().finally(() => (looking = undefined))),
    next: () => (files.size === 0 ? undefined : [...files.keys()].toSorted(byAge)[0]),
    done(path) {
      files.delete(path)
      unreadable.delete(path)
    },
    putAside(path, error, from) {
      files.delete(path)
      unreadable.add(path, error, from)
    },
    from: unreadable.from,
    isBehind(age) {
      if (!strangers.areBefore(undefined)) return false
      const ages = [...files.keys()].map(ageOf)
      return strangers.areBefore((age === undefined ? ages : [age, ...ages]).toSorted()[0])
    },
    bytes: () => [...files.values()].reduce((sum, size) => sum + size, 0),
    unreadable: unreadable.state,
    touch: () => touch(ours()),
    letGo: () => letGo(ours()),
  }
}

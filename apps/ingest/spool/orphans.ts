// Spool files whose process is gone. An owner touches its files every few seconds, and lets go of them when it ends, by a time
// of change in 1970. Taking one over is a rename, so only one process gets it.
import { open, readdir, rename, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ageOf, byAge, ending, nameOf, ownerOf, placeOf } from './names.ts'

/** How often an owner touches its files, and how long after the last time it counts as dead, in ms. */
export const touchMs = 5000
const deadMs = 30_000

/**
 * Names of files, oldest first. `own`: of this process. `orphans`: their owners are gone. `strangers`: of other hosts, and not
 * empty; whether their owners live nobody here can know until the files were not touched for half a minute.
 */
export type Files = { own: string[]; orphans: string[]; strangers: string[] }

/** What is in `directory`, as `owner` sees it. Rejects when it cannot be listed; where there is none there are no files. */
export async function findFiles(directory: string, owner: string): Promise<Files> {
  const names = (await unlessGone(() => readdir(directory))) ?? []
  const files: Files = { own: [], orphans: [], strangers: [] }
  for (const name of names.filter((one) => one.endsWith(ending)).sort(byAge)) {
    if (ownerOf(name) === owner) files.own.push(name)
    else if (hasDied(name)) files.orphans.push(name)
    else {
      const { mtimeMs, size } = await stat(join(directory, name)).catch(() => ({ mtimeMs: Date.now(), size: 0 }))
      if (Date.now() - mtimeMs > deadMs) files.orphans.push(name)
      else if (placeOf(name)?.host !== hostname() && size > 0) files.strangers.push(name)
    }
  }
  return files
}

/**
 * Makes the orphan `name` a file of `owner`; its path then, or undefined when another process was faster. Rejects when it
 * cannot be read, and leaves it where it is.
 */
export async function take(directory: string, name: string, owner: string): Promise<string | undefined> {
  const path = join(directory, name)
  const ours = join(directory, nameOf(owner, ageOf(name)))
  return await unlessGone(async () => {
    await tryToRead(path)
    await touch([path])
    await rename(path, ours)
    return ours
  })
}

async function tryToRead(path: string): Promise<void> {
  if (!(await stat(path)).isFile()) throw new Error('it is not a file')
  const handle = await open(path)
  try {
    await handle.read(Buffer.alloc(1), 0, 1, 0)
  } finally {
    await handle.close()
  }
}

/** Touches the files at `paths`, which shows other processes that their owner lives. */
export async function touch(paths: string[]): Promise<void> {
  const now = new Date()
  for (const path of paths) await utimes(path, now, now).catch(() => undefined)
}

/** Lets other processes have the files at `paths` at once. */
export async function letGo(paths: string[]): Promise<void> {
  for (const path of paths) await utimes(path, 0, 0).catch(() => undefined)
}

/** How many bytes the file at `path` has. */
export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

/** What `use` makes of a file; undefined when that is gone, because another process took it for an orphan. */
export async function unlessGone<T>(use: () => Promise<T>): Promise<T | undefined> {
  try {
    return await use()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function hasDied(name: string): boolean {
  const place = placeOf(name)
  return place?.host === hostname() && (place.pid === process.pid || !isAlive(place.pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

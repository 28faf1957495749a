// Spool files whose process is gone. A file names its owner, that is host, process and one life of it, and when it was
// made by whom, by which no two files are ever alike. Its owner touches it every few seconds. Taking one is a rename, so
// only one process gets it.
import { randomBytes } from 'node:crypto'
import { readdir, rename, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

export const ending = '.spool'

/** How often an owner touches its file, and how long after the last time it counts as dead, in ms. */
export const touchMs = 5000
const deadMs = 30_000

/** One life of this process: in a container the next one may have its number. */
export function newOwner(): string {
  return `${hostname()}.${process.pid}.${randomBytes(4).toString('hex')}`
}

let counter = 0

/** The name of a new file of `owner`. */
export function newName(owner: string): string {
  const order = String(counter++).padStart(6, '0')
  return `${owner}.${Date.now()}-${order}-${owner.split('.').at(-1)}${ending}`
}

/** Takes the files in `directory` whose owners are gone, oldest first; their paths, now of `owner`, whose own are left alone. */
export async function takeOrphans(directory: string, owner: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  const taken: string[] = []
  for (const name of names.filter((one) => one.endsWith(ending)).sort(byAge)) {
    const path = join(directory, name)
    if (name.startsWith(`${owner}.`) || !(await isOrphan(path, name))) continue
    const ours = join(directory, `${owner}.${ageOf(name)}${ending}`)
    try {
      await rename(path, ours)
      taken.push(ours)
    } catch {
      // Another process was faster.
    }
  }
  return taken
}

/** Shows other processes that the owner of the files at `paths` lives. */
export async function touch(paths: string[]): Promise<void> {
  const now = new Date()
  for (const path of paths) await utimes(path, now, now).catch(() => undefined)
}

/** How many bytes the files at `paths` have together. */
export async function sizeOf(paths: string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path).catch(() => undefined))?.size ?? 0))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** What `use` makes of a file of ours; undefined when it is gone, because another process took it for an orphan. */
export async function unlessGone<T>(use: () => Promise<T>): Promise<T | undefined> {
  try {
    return await use()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function isOrphan(path: string, name: string): Promise<boolean> {
  const [, host, pid] = /^(.*)\.(\d+)\.[^.]+\.[^.]+\.spool$/.exec(name) ?? []
  if (host === hostname() && (Number(pid) === process.pid || !isAlive(Number(pid)))) return true
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
  return Date.now() - mtimeMs > deadMs
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function ageOf(name: string): string {
  return name.split('.').at(-2) ?? ''
}

function byAge(a: string, b: string): number {
  return ageOf(a) < ageOf(b) ? -1 : 1
}

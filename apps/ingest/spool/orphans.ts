// Spool files whose process is gone. A file names its host and process; its owner touches it every few seconds. Taking
// one is a rename, so only one process gets it.
import { readdir, rename, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

export const ending = '.spool'

/** How often an owner touches its file, and how long after the last time it counts as dead, in ms. */
export const touchMs = 5000
const deadMs = 30_000

/** Takes the files in `directory` whose owners are gone, oldest first; their paths, now ours. `mine` is left alone. */
export async function takeOrphans(directory: string, mine: ReadonlySet<string>): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  const taken: string[] = []
  for (const name of names.filter((one) => one.endsWith(ending)).sort(byAge)) {
    const path = join(directory, name)
    if (mine.has(path) || !(await isOrphan(path, name))) continue
    const ours = join(directory, `${hostname()}.${process.pid}.${ageOf(name)}${ending}`)
    try {
      if (ours !== path) await rename(path, ours)
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

async function isOrphan(path: string, name: string): Promise<boolean> {
  const [, host, pid] = /^(.*)\.(\d+)\.[^.]+\.spool$/.exec(name) ?? []
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

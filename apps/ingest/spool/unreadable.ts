// Spool files that cannot be read. They are said aloud, stop no others, and are tried again now and then.
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'

export type Unreadable = {
  /** The file at `path` could not be read from the offset `from` on. */
  add: (path: string, error: unknown, from?: number) => void
  /** Whether the file at `path` may be tried now: it is readable as far as is known, or was not tried for a while. */
  isDue: (path: string) => boolean
  /** From which offset the file at `path` is still to be read. */
  from: (path: string) => number
  delete: (path: string) => void
  /** Forgets all but the files at `paths`. */
  only: (paths: string[]) => void
  paths: () => string[]
  /** How many there are, and of the first of them in words what is the matter. */
  state: () => { files: number; reason: string } | undefined
}

const againMs = 5000

export function watchUnreadable(log: Log): Unreadable {
  const files = new Map<string, { reason: string; from: number; tried: number }>()

  return {
    add(path, error, from = 0) {
      const reason = inWords(error)
      if (files.get(path)?.reason !== reason) log.error({ file: path, reason }, 'cannot read a spool file: put aside, and tried again')
      files.set(path, { reason, from, tried: performance.now() })
    },
    isDue: (path) => performance.now() - (files.get(path)?.tried ?? -againMs) >= againMs,
    from: (path) => files.get(path)?.from ?? 0,
    delete: (path) => void files.delete(path),
    only(paths) {
      const there = new Set(paths)
      for (const path of files.keys()) if (!there.has(path)) files.delete(path)
    },
    paths: () => [...files.keys()],
    state() {
      const [first] = files
      return first && { files: files.size, reason: `${first[0]}: ${first[1].reason}` }
    },
  }
}

// The file that a process appends its spooled deliveries to. A record counts when it is on disk; requests that wait at
// the same time share one fsync. The file can be taken away by another process that thinks we are dead: that is noticed
// before anything is acknowledged, and what was written is written again, into a new file.
import { type FileHandle, mkdir, open, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { newName } from './names.ts'
import { letGo, touch } from './orphans.ts'

export type SpoolFile = {
  /** Resolves with the path of the file when `bytes`, whole lines, are on disk there. Rejects when they could not be written. */
  append: (bytes: Buffer) => Promise<string>
  /** Where the current file is and how many bytes of it count; undefined while nothing was appended. */
  current: () => { path: string; end: number } | undefined
  /** Removes the current file, if no more than `end` bytes of it count and nothing is being written. Answers whether. */
  finish: (end: number) => Promise<boolean>
  /** What is appended from now on goes into another file than the one at `path`; not while something is being written. */
  forget: (path: string) => Promise<void>
  /** Shows other processes that the owner lives. */
  touch: () => Promise<void>
  /** Nothing more is appended: other processes may have the file. */
  close: () => Promise<void>
}

type Open = { path: string; handle: FileHandle; inode: number; end: number }

/** A spool file of `owner` in `directory`, both made when they are needed. */
export function spoolFile(directory: string, owner: string): SpoolFile {
  let file: Open | undefined
  let waiting: Buffer[] = []
  let settled = Promise.withResolvers<string>()
  let writing = false

  async function flush(): Promise<void> {
    writing = true
    while (waiting.length > 0) {
      const batch = Buffer.concat(waiting)
      const { resolve, reject } = settled
      waiting = []
      settled = Promise.withResolvers<string>()
      await write(batch).then(resolve, reject)
    }
    writing = false
  }

  // At a position of our own: what a failed write left behind is overwritten by the next one.
  async function write(batch: Buffer): Promise<string> {
    file ??= await create(join(directory, newName(owner)))
    for (let written = 0; written < batch.length; ) {
      written += (await file.handle.write(batch, written, batch.length - written, file.end + written)).bytesWritten
    }
    await file.handle.datasync()
    if ((await inodeOf(file.path)) === file.inode) {
      file.end += batch.length
      return file.path
    }
    await file.handle.close()
    file = undefined
    return await write(batch)
  }

  return {
    append(bytes) {
      waiting.push(bytes)
      const { promise } = settled
      if (!writing) void flush()
      return promise
    },
    current: () => file && { path: file.path, end: file.end },
    async finish(end) {
      if (!file || writing || file.end > end) return false
      const { path, handle } = file
      file = undefined
      await handle.close()
      await unlink(path).catch(() => undefined)
      return true
    },
    async forget(path) {
      if (!file || writing || file.path !== path) return
      const { handle } = file
      file = undefined
      await handle.close()
    },
    touch: () => touch(file ? [file.path] : []),
    async close() {
      if (!file) return
      const { path, handle, end } = file
      await handle.close()
      if (end === 0) await unlink(path).catch(() => undefined)
      else await letGo([path])
    },
  }
}

async function create(path: string): Promise<Open> {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const handle = await open(path, 'wx', 0o600)
  await syncDirectory(directory)
  return { path, handle, inode: (await handle.stat()).ino, end: 0 }
}

// A new file's name is on disk only when its directory is.
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino
  } catch {
    return undefined
  }
}

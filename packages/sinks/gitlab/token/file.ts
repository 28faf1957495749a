// The file with a token. Everything that could fail when a new token is written is done before GitLab is asked for it: once
// GitLab has given it out, nothing may go wrong.
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

export type TokenFile = {
  /** Puts `token` into the file, at once and durably; whoever reads it sees the old one or the new one. */
  write: (token: string) => Promise<void>
  /** Leaves the file as it is. */
  leave: () => Promise<void>
}

const room = 4096

/**
 * The file at `path`, at the end of its links. A new file is made beside it, with the same mode and owner, and with room on the
 * disk. Throws when that cannot be done.
 */
export async function prepareTokenFile(path: string): Promise<TokenFile> {
  const target = await realpath(path)
  const { mode, uid, gid } = await stat(target)
  const successor = `${target}.${process.pid}.new`
  const file = await open(successor, 'wx', 0o600)
  const leave = async () => {
    await file.close().catch(() => undefined)
    await unlink(successor).catch(() => undefined)
  }
  try {
    await file.writeFile(Buffer.alloc(room, '\n'))
    await file.chmod(mode)
    if (uid !== process.getuid?.() || gid !== process.getgid?.()) await file.chown(uid, gid)
    await file.sync()
  } catch (error) {
    await leave()
    throw error
  }
  return {
    leave,
    async write(token) {
      const bytes = Buffer.from(`${token}\n`)
      await file.write(bytes, 0, bytes.length, 0)
      await file.truncate(bytes.length)
      await file.sync()
      await file.close()
      await rename(successor, target)
      await using directory: FileHandle = await open(dirname(target))
      await directory.sync()
    },
  }
}

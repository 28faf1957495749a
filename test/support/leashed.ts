// Starts a command that cannot outlive us: see `leash`. A session of its own keeps Ctrl-C away from it, too.
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

const leash = new URL('leash', import.meta.url).pathname

export type Leashed = ChildProcessByStdio<Writable, Readable, Readable>

/** Runs `command`; `directory`, if given, is removed when it is let go. */
export function onLeash(
  command: string,
  args: string[],
  options: { directory?: string | undefined; env?: NodeJS.ProcessEnv } = {},
): Leashed {
  const { directory = '-', env = process.env } = options
  return spawn(leash, [directory, command, ...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env })
}

/** Kills the command, and waits until it is gone. */
export async function letGo(child: Leashed): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.stdin.end()
  await once(child, 'exit')
}

/** For a command whose own process a test wants to look at or strike: it is killed when we end, however we do. */
export function keepFromOutliving(child: ChildProcess): void {
  const watcher = spawn('sh', ['-c', 'read -r line || kill -KILL "$1"', 'sh', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  child.once('exit', () => watcher.stdin.end('it has ended\n'))
}

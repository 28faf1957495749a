// How slow this machine is just now: for tests of what is promised about a time, which a busy machine must not break.
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * What comes of `work`, and how many ms longer than promised it may have taken: ten times what took longest beside it of something that
 * waits for nothing, which is `ask` and a write to the disk. On a machine that is at rest that is next to nothing.
 */
export async function besidePace<T>(work: Promise<T>, ask: () => Promise<unknown>): Promise<[result: T, allowanceMs: number]> {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-pace-'))
  const file = await open(join(directory, 'file'), 'w')
  let isOver = false
  const end = () => (isOver = true)
  work.then(end, end)
  let longest = 0
  try {
    for (; !isOver; await pause(20)) {
      const began = performance.now()
      await ask()
      await file.write('x')
      await file.datasync()
      longest = Math.max(longest, performance.now() - began)
    }
    return [await work, 10 * longest]
  } finally {
    await file.close()
    await rm(directory, { recursive: true })
  }
}

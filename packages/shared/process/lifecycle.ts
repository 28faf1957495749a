// Start and stop: whatever a process acquires pushes its release; SIGTERM and SIGINT run them in reverse order, all of
// them, and the process exits before the deadline even when one of them hangs.
import { inWords } from './errors.ts'
import type { Log } from './log.ts'

type Release = () => unknown

export type Lifecycle = {
  /** Keeps `release` for the stop; `name` is for the log. */
  push: (name: string, release: Release) => void
  /** Releases everything, last acquired first, within `deadline` ms. A second call waits for the first. */
  stop: () => Promise<void>
}

/** Watches for SIGTERM and SIGINT. `deadline` is in ms from the signal to the exit. */
export function startLifecycle(log: Log, deadline = 8000): Lifecycle {
  const releases: Array<{ name: string; release: Release }> = []
  let stopping: Promise<void> | undefined

  async function releaseAll(): Promise<void> {
    for (const { name, release } of releases.reverse()) {
      try {
        await release()
      } catch (error) {
        log.warn({ part: name, reason: inWords(error) }, 'could not release')
      }
    }
  }

  const lifecycle: Lifecycle = {
    push: (name, release) => void releases.push({ name, release }),
    stop: () => (stopping ??= releaseAll()),
  }

  const onSignal = (signal: string) => {
    if (stopping) return
    log.info({ signal }, 'stopping')
    const late = setTimeout(() => {
      log.warn({ deadline }, 'stopped at the deadline')
      process.exit(0)
    }, deadline)
    void lifecycle.stop().then(() => {
      clearTimeout(late)
      log.info('stopped')
      process.exit(0)
    })
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  process.on('uncaughtException', (error) => {
    log.fatal({ reason: inWords(error), stack: error.stack }, 'cannot go on')
    process.exit(1)
  })
  log.info('starting')
  return lifecycle
}

// Runs replays in the background of this worker, whoever looks at the page. How far they are is in the journal, so they
// are seen everywhere, stopped from anywhere, and go on where they were.
import { setTimeout as pause } from 'node:timers/promises'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { runReplay } from '../../actions/replay/run.ts'
import type { OpsContext } from '../../context.ts'

export type Runner = {
  /** Has the replay `id` run until it has ended. Does nothing when it runs here already. */
  run: (id: number, context: OpsContext) => void
  /** Whether it runs here, or waits for its turn. */
  isRunning: (id: number) => boolean
  /** Interrupts all of them, and waits until they are. */
  stop: () => Promise<void>
}

// Each keeps a connection to the database, which the worker has few of.
const mostAtOnce = 2
const tryAgainMs = 5000

export function openRunner(log: Log): Runner {
  const stopping = new AbortController()
  const all = new Map<number, Promise<void>>()
  const { signal } = stopping
  let free = mostAtOnce

  async function run(id: number, context: OpsContext): Promise<void> {
    while (free === 0 && !signal.aborted) await Promise.race(all.values())
    free -= 1
    try {
      await runToItsEnd(id, context)
    } finally {
      free += 1
      all.delete(id)
    }
  }

  async function runToItsEnd(id: number, context: OpsContext): Promise<void> {
    while (!signal.aborted) {
      try {
        const { state, replayed, failedAgain } = await runReplay(context, id, { signal, onProgress: () => undefined })
        return log.info({ replay: id, who: context.who, state, replayed, failedAgain }, 'replayed')
      } catch (error) {
        log.warn({ replay: id, reason: inWords(error) }, 'a replay waits')
        await pause(tryAgainMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  return {
    run: (id, context) => void (all.has(id) || all.set(id, run(id, context))),
    isRunning: (id) => all.has(id),
    async stop() {
      stopping.abort()
      await Promise.all(all.values())
    },
  }
}

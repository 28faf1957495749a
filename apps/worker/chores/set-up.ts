// What must be true in Redis as long as anybody works on it: written at the start, and again whenever it may have been lost,
// as by a Redis that comes back empty, or by a replica that was empty and is the primary now.
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import { keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'
import { queueNames } from '#sinks/queues.ts'
import { oneByOne } from '#sinks/registry.ts'

// Nobody but the router takes deliveries; a worker of an earlier release takes them as jobs, and must do so one at a time.
const serial = new Set<string>(['deliveries', ...oneByOne])
const lookMs = 2000

/** Writes what each queue must have: the options that `openQueue` gives it, and that the jobs of some run one after another. */
export async function setUpQueues(place: QueuePlace): Promise<void> {
  for (const name of queueNames) {
    const queue = openQueue(place, name)
    await queue.waitUntilReady()
    if (serial.has(name)) await queue.setGlobalConcurrency(1)
    await queue.close()
  }
}

type Parts = QueuePlace & { log: Log; setUp: () => Promise<void> }

/**
 * Runs `setUp` now, and again whenever a sign in Redis is missing that says so, until the function that it answers is called.
 * `setUp` must be repeatable: several workers may run it at once. Rejects when the first run does.
 */
export async function keepSetUp({ redis, prefix, log, setUp }: Parts): Promise<() => void> {
  const sign = `${keyPrefix(prefix)}:set-up`
  let isBusy = false

  // The sign is written last: a worker that dies before leaves the rest to the others.
  async function write(): Promise<void> {
    await setUp()
    await redis.set(sign, new Date().toISOString())
  }

  async function look(): Promise<void> {
    if (isBusy || redis.status !== 'ready') return
    isBusy = true
    try {
      if ((await redis.exists(sign)) === 1) return
      await write()
      log.error('Redis has come back empty: what was in its queues is lost, unless it is handed in again')
    } catch (error) {
      log.warn({ reason: inWords(error) }, 'could not set up')
    } finally {
      isBusy = false
    }
  }

  await write()
  const timer = setInterval(() => void look(), lookMs)
  const onReady = () => void look()
  redis.on('ready', onReady)
  return function stop() {
    clearInterval(timer)
    redis.off('ready', onReady)
  }
}

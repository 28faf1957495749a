// Runs the jobs of one queue.
import { type Job, type Queue, Worker } from 'bullmq'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { keyPrefix, type Retention } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { retryDelay } from '#shared/queue/retries.ts'
import { openConsequences } from './consequence.ts'
import { openHolds } from './holds.ts'
import { lockMs, lookEveryMs, serialLockMs } from './locks.ts'
import type { MayForget } from './redis-lives.ts'
import type { Trials } from './trials.ts'

export type WorkerContext = {
  redis: Redis
  prefix: string
  stopping: AbortSignal
  mayForget: MayForget
  trials: Trials
  /** Told of each job that has ended, by its queue. */
  onEnded?: (queue: string) => void
  log: Log
}

/** `signal` aborts when the worker must give the job up. */
export type Attempt = (signal: AbortSignal) => Promise<void>

type Parts = {
  context: WorkerContext
  queue: Queue
  /** How long done jobs stay. */
  keep: Retention
  concurrency: number
  /** All jobs of the queue run one after another, over all workers. */
  serial?: boolean
  /** Throws `Deferred` when the job's time has not come; else answers how it is run, at once or when others have ended. */
  prepare: (job: Job, token: string) => Attempt | Promise<Attempt>
  /** Whether a job that was run asked no remote: then it says nothing about a hold. */
  tellsNothing?: (job: Job) => boolean
  /** Told of each attempt that failed, also of the last one; `ms` is how long it took. */
  onFailed?: (job: Job, error: Error, ms: number) => Promise<void>
  /** Told once for each job that has become a dead letter; with the token of its lock, unless BullMQ gave it up without running it. */
  onDead: (job: Job, error: Error, token?: string) => Promise<void>
}

// With a limiter BullMQ looks at the queue's rate limit, which is what holds it; this one never limits by itself.
const limiter = { max: 1_000_000_000, duration: 1000 }

// How often a worker looks whether somebody has ended the wait of a hold.
const lookAtHoldMs = 2000

/** Starts to work on `queue`. When `stopping` aborts, jobs under way are handed back. */
export async function work({
  context,
  queue,
  keep,
  concurrency,
  serial = false,
  prepare,
  tellsNothing,
  onFailed,
  onDead,
}: Parts): Promise<Worker> {
  const { redis, prefix, stopping, trials, log } = context
  const holds = openHolds({ redis, prefix, queue, concurrency: serial ? 1 : undefined, log })
  const lockDuration = serial ? serialLockMs : lockMs
  const consequences = openConsequences({
    queueName: queue.name,
    holds,
    lockMs: lockDuration,
    stopping,
    onFailed: onFailed ?? (() => Promise.resolve()),
    onDead,
    log,
  })
  if (serial) await queue.setGlobalConcurrency(1)

  async function runJob(job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const given = signal && !stopping.aborted ? signal : stopping
    try {
      const attempt = await prepare(job, token ?? '')
      await trials.run(job, given, () => attempt(given))
    } catch (error) {
      throw await consequences.of(error, job, token ?? '')
    }
    job.data = undefined // the chain in which BullMQ keeps jobs is collected late, and what hangs on it
    // Not waited for: Redis takes it before whatever this connection sends later, another hold among it.
    goOn(job).catch((reason: unknown) => log.warn({ queue: queue.name, reason: inWords(reason) }, 'could not go on'))
  }

  // While others wait the hold is left to one that asks the remote.
  async function goOn(job: Job): Promise<void> {
    if (tellsNothing?.(job) === true && (await queue.getJobCountByTypes('wait', 'delayed', 'waiting-children')) > 0) return
    await holds.release()
  }

  const worker = new Worker(queue.name, runJob, {
    connection: redis,
    prefix: keyPrefix(prefix),
    concurrency: serial ? 1 : concurrency,
    limiter,
    maximumRateLimitDelay: lookAtHoldMs,
    removeOnComplete: keep,
    maxStalledCount: Number.MAX_SAFE_INTEGER, // `trials` decides
    settings: { backoffStrategy: (attemptsMade) => retryDelay(attemptsMade) },
    lockDuration,
    stalledInterval: lookEveryMs(lockDuration),
  })
  stopping.addEventListener('abort', () => worker.cancelAllJobs())
  worker.on('completed', () => context.onEnded?.(queue.name))
  worker.on('error', (error) => log.debug({ queue: queue.name, reason: inWords(error) }, 'worker error'))
  // BullMQ fails a job without running it that stalled too often by the rules of an earlier release. Only this event tells of
  // it.
  worker.on('failed', (job, error) => {
    if (job?.finishedOn !== undefined) context.onEnded?.(queue.name)
    if (!job || consequences.isKnown(error) || job.finishedOn === undefined) return
    log.error({ queue: queue.name, job: job.id, reason: inWords(error) }, 'died')
    onDead(job, error).catch((reason: unknown) => log.error({ job: job.id, reason: inWords(reason) }, 'could not lay out'))
  })
  return worker
}

// Runs the jobs of one queue, and is the one place where errors are read: down and refused hold the queue, never is a
// dead letter at once, anything else is tried again after a while and is a dead letter when the attempts are spent.
import { DelayedError, type Job, type Queue, RateLimitError, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import { inWords, Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { keyPrefix, type Retention } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { refusalOf } from '#shared/queue/redis-refusal.ts'
import { retryDelay } from '#shared/queue/retries.ts'
import { openHolds } from './holds.ts'
import { lockMs, lookEveryMs, serialLockMs } from './locks.ts'
import { Deferred, LockLost, PutOff } from './no-attempt.ts'
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
  const answered = new WeakSet<Error>()
  if (serial) await queue.setGlobalConcurrency(1)

  async function runJob(job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const given = signal && !stopping.aborted ? signal : stopping
    try {
      const attempt = await prepare(job, token ?? '')
      await trials.run(job, given, () => attempt(given))
    } catch (error) {
      throw await consequence(meaningOf(error), job, token ?? '').catch((reason: unknown) => leave(job, reason))
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

  // Redis does not even take what is to become of the job. It stays under way, and is run again when its lock has run out.
  function leave(job: Job, reason: unknown): Error {
    log.warn({ queue: queue.name, job: job.id, reason: inWords(reason) }, 'left to be taken up again')
    return new WaitingError()
  }

  // What BullMQ must be thrown, so that the job goes where it belongs.
  async function consequence(error: Error, job: Job, token: string): Promise<Error> {
    answered.add(error)
    if (error instanceof LockLost) return error
    if (error instanceof PutOff) return new WaitingError()
    if (error instanceof Deferred) {
      await job.moveToDelayed(Date.now() + error.ms, token)
      return new DelayedError()
    }
    if (stopping.aborted) {
      await job.moveToWait(token)
      return new WaitingError()
    }
    if (error instanceof Unavailable || error instanceof Refused) {
      await holds.hold(error)
      return new RateLimitError()
    }
    // If the lock is lost another worker runs the job, and decides what becomes of it.
    if ((await job.extendLock(token, lockDuration)) !== 1) return known(new LockLost(`${job.id} is run by another worker.`))
    await onFailed?.(job, error, Date.now() - (job.processedOn ?? Date.now()))
    const never = error instanceof Permanent
    if (never || job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) {
      await onDead(job, error, token)
      log.error({ queue: queue.name, job: job.id, reason: inWords(error) }, 'died')
      return never ? known(new UnrecoverableError(inWords(error))) : error
    }
    log.warn({ queue: queue.name, job: job.id, attempt: job.attemptsMade + 1, reason: inWords(error) }, 'retrying')
    return error
  }

  function known(error: Error): Error {
    answered.add(error)
    return error
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
    if (!job || answered.has(error) || job.finishedOn === undefined) return
    log.error({ queue: queue.name, job: job.id, reason: inWords(error) }, 'died')
    onDead(job, error).catch((reason: unknown) => log.error({ job: job.id, reason: inWords(reason) }, 'could not lay out'))
  })
  return worker
}

function meaningOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  return refusalOf(error) === undefined ? error : new Unavailable(`Redis says: ${inWords(error)}`)
}

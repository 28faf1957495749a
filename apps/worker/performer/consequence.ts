// The one place where errors are read: down and refused hold the queue, never is a dead letter at once, anything else is tried
// again after a while and is a dead letter when the attempts are spent.
import { DelayedError, type Job, RateLimitError, UnrecoverableError, WaitingError } from 'bullmq'
import { inWords, Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { refusalOf } from '#shared/queue/redis-refusal.ts'
import type { Holds } from './holds.ts'
import { Deferred, LockLost, PutOff } from './no-attempt.ts'

export type Consequences = {
  /** What BullMQ must be thrown, so that the job goes where it belongs. */
  of: (reason: unknown, job: Job, token: string) => Promise<Error>
  /** Whether it was decided here what becomes of a job for this error. */
  isKnown: (error: Error) => boolean
}

type Parts = {
  queueName: string
  holds: Holds
  lockMs: number
  stopping: AbortSignal
  /** Told of each attempt that failed, also of the last one; `ms` is how long it took. */
  onFailed: (job: Job, error: Error, ms: number) => Promise<void>
  /** Told once for each job that has become a dead letter. */
  onDead: (job: Job, error: Error, token: string) => Promise<void>
  log: Log
}

/** The consequences of errors of the jobs of one queue. */
export function openConsequences({ queueName, holds, lockMs, stopping, onFailed, onDead, log }: Parts): Consequences {
  const known = new WeakSet<Error>()

  async function consequence(error: Error, job: Job, token: string): Promise<Error> {
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
    if ((await job.extendLock(token, lockMs)) !== 1) return new LockLost(`${job.id} is run by another worker.`)
    await onFailed(job, error, Date.now() - (job.processedOn ?? Date.now()))
    const never = error instanceof Permanent
    if (never || job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) {
      await onDead(job, error, token)
      log.error({ queue: queueName, job: job.id, reason: inWords(error) }, 'died')
      return never ? new UnrecoverableError(inWords(error)) : error
    }
    log.warn({ queue: queueName, job: job.id, attempt: job.attemptsMade + 1, reason: inWords(error) }, 'retrying')
    return error
  }

  // Redis does not even take what is to become of the job. It stays under way, and is run again when its lock has run out.
  function leave(job: Job, reason: unknown): Error {
    log.warn({ queue: queueName, job: job.id, reason: inWords(reason) }, 'left to be taken up again')
    return new WaitingError()
  }

  return {
    async of(reason, job, token) {
      const thrown = await consequence(meaningOf(reason), job, token).catch((failure: unknown) => leave(job, failure))
      known.add(thrown)
      return thrown
    },
    isKnown: (error) => known.has(error),
  }
}

function meaningOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  return refusalOf(error) === undefined ? error : new Unavailable(`Redis says: ${inWords(error)}`)
}

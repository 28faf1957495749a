// Around the one call of a job that cannot be undone: right before it the job must still be ours, and when it was given
// up it may still be at work at the other end, so that what it makes can be found only when it has ended there.
import type { Job } from 'bullmq'
import { Unavailable } from '#shared/errors.ts'
import { NotYet, TakenOver } from './work.ts'

export type Call = {
  /** Right before the call; throws when another worker has taken the job over. */
  confirm: () => Promise<void>
  /** What is to be thrown when the call, or what came before it, ended with `error`. */
  meaning: (error: unknown) => unknown
}

const lockMs = 10_000
const settleMs = 15_000
const quickMs = 5000

/** `signal` aborts when the worker must give the job up. */
export function openCall(job: Job, token: string, signal: AbortSignal): Call {
  let confirmed: number | undefined
  return {
    async confirm() {
      // Once more when the answer was long in coming: if this process was frozen meanwhile, the lock may have run out.
      for (let asked = 0; Date.now() - asked > lockMs / 2; ) {
        asked = Date.now()
        if ((await job.extendLock(token, lockMs)) !== 1) throw new TakenOver(`${job.id} is run by another worker.`)
      }
      confirmed = Date.now()
    },
    meaning(error) {
      if (confirmed === undefined) return error
      if (signal.aborted) return new NotYet(settleMs)
      if (!(error instanceof Unavailable) || Date.now() - confirmed < quickMs) return error
      return new Unavailable(error.message, { cause: error, retryAfter: Math.max(settleMs, error.retryAfter ?? 0) })
    },
  }
}

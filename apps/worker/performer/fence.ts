// The fence before the one call of a job that cannot be undone. One step in Redis makes sure that the job is still ours and
// writes down that the call has begun, under a key that lives for as long as the call may be at work. Whoever runs the job next
// waits until the key is gone, and then looks at the remote. Only an answer removes it earlier.
import { randomUUID } from 'node:crypto'
import type { Job, Queue } from 'bullmq'
import type { Effect } from '#shared/event/effect.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { script } from '#shared/queue/redis-script.ts'
import type { Fence } from '#sinks/fence.ts'
import type { Sink } from '#sinks/sink.ts'
import { begunKeepSeconds, begunKey } from './begun.ts'
import { besideWaitMs, lookBeside, passingBeside } from './beside.ts'
import { Deferred, LockLost } from './consumer.ts'
import { lockMs } from './locks.ts'

/** For how long a call is waited for, and how long after that it may still be carried out, in ms. */
export type CallLimits = { callMs: number; settleMs: number }

/** One run of a job, as seen from its fence. */
export type Crossing = {
  fence: Fence
  /** Surely the first time: no run before this one came as far as to make the call. */
  isFirst: boolean
  /** Whether this run came as far as to make the call. */
  passed: () => boolean
  /** For how many ms more an earlier call may be at work: of this job, and of another one that it must not run beside. */
  busyMs: number
  besideMs: number
  /** At the end of the run: leaves in Redis what the next one must know. */
  succeeded: () => Promise<void>
  failed: () => Promise<void>
}

// With the first two keys it does what BullMQ's `extendLock` does.
const passOver = script(`${passingBeside}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if not passes(KEYS[5], ARGV[7], ARGV[8]) then return -1 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SREM', KEYS[2], ARGV[3])
redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5])
if ARGV[6] ~= '0' then redis.call('SET', KEYS[4], ARGV[4], 'EX', ARGV[6]) end
return 1`)

const end = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`)

// Only if the job is still there: a hash with this field alone would keep the effect from being added again.
const noteIdle = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSET', KEYS[1], 'idle', ARGV[1])`)

type Parts = {
  redis: Redis
  prefix: string
  queue: Queue
  sink: Pick<Sink, 'order' | 'repeat' | 'alone'>
  limits: CallLimits
  job: Job
  token: string
  effect: Effect
}

/** The fence of one run of `job`, which carries `effect`. */
export async function openFence({ redis, prefix, queue, sink, limits, job, token, effect }: Parts): Promise<Crossing> {
  const { id = '', attemptsStarted: runs } = job
  const { callMs, settleMs } = limits
  const jobKey = queue.toKey(id)
  const atWorkOf = (job: string) => `${keyPrefix(prefix)}:at-work:${queue.name}:${job}`
  const atWork = atWorkOf(id)
  const begun = begunKey(prefix, effect)
  const isMarked = sink.repeat === 'at-most-once'
  const own = randomUUID()
  let call: 'none' | 'at work' | 'answered' | 'undone' = 'none'

  const beside = await lookBeside({ redis, prefix, queue, alone: sink.alone(effect.data), id, atWorkOf })
  const isNew = runs === 1 && effect.again !== true
  const [idle, busyMs] = isNew ? ['0', 0] : await Promise.all([redis.hget(jobKey, 'idle'), redis.pttl(atWork)])
  // `idle` is the number of the last run that said that it made no call. A run that said nothing may have made it: its worker
  // died, or was of an earlier release.
  const isFirst = effect.again !== true && busyMs <= 0 && Number(idle ?? 0) === runs - 1

  const over = () => end(redis, [atWork], [own])
  return {
    isFirst,
    passed: () => call !== 'none',
    busyMs: Math.max(0, busyMs),
    besideMs: beside.ms,
    fence: {
      limitMs: callMs,
      async pass() {
        // Asked again when the answer was long in coming: if this process was frozen meanwhile, the job may be another's.
        const freshMs = Math.min(lockMs, callMs) / 2
        let askedAt: number
        do {
          askedAt = Date.now()
          const args = [token, lockMs, id, own, callMs + settleMs, isMarked ? begunKeepSeconds : 0, beside.seen, beside.mark(own)]
          const passed = await passOver(redis, [queue.toKey(`${id}:lock`), queue.toKey('stalled'), atWork, begun, ...beside.keys], args)
          if (passed === -1) throw new Deferred(besideWaitMs)
          if (passed !== 1) throw new LockLost(`${id} is run by another worker.`)
          call = 'at work'
        } while (Date.now() - askedAt > freshMs)
      },
      answered() {
        call = 'answered'
      },
      undone() {
        call = 'undone'
      },
    },
    async succeeded() {
      if (call !== 'none') await over()
    },
    async failed() {
      // Redis may have lost the key meanwhile: write it again.
      if (call === 'at work') await redis.set(atWork, own, 'PX', callMs + settleMs, 'NX')
      if (call === 'answered' || call === 'undone') await over()
      if (call === 'undone' && isMarked) await end(redis, [begun], [own])
      // Serial sinks pass no fence, so any run of theirs may have made its effect.
      const onlyWaited = (call === 'none' || call === 'undone') && sink.order === 'lane'
      if (isFirst && onlyWaited) await noteIdle(redis, [jobKey], [runs])
    },
  }
}

// The fence before the one call of a job that cannot be undone. One step in Redis makes sure that the job is still ours and at
// the head of its lane, and writes down that the call has begun: with the job, and under a key that lives for as long as the call
// may be at work. Whoever runs the job next waits until the key is gone, and then looks at the remote. Only an answer removes it
// earlier.
import { randomUUID } from 'node:crypto'
import type { Job, Queue } from 'bullmq'
import type { Effect } from '#shared/event/effect.ts'
import { inLane } from '#shared/queue/lane-script.ts'
import { laneKeys } from '#shared/queue/lanes.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { script } from '#shared/queue/redis-script.ts'
import type { Fence } from '#sinks/fence.ts'
import type { Sink } from '#sinks/sink.ts'
import { begunKeepSeconds, begunKey } from './begun.ts'
import { besideWaitMs, lookBeside, passingBeside } from './beside.ts'
import { lockMs } from './locks.ts'
import { Deferred, LockLost } from './no-attempt.ts'

/** For how long a call is waited for, and how long after that it may still be carried out, in ms. */
export type CallLimits = { callMs: number; settleMs: number }

/** One run of a job, as seen from its fence. */
export type Crossing = {
  fence: Fence
  /** Surely the first time: no run before this one began the call. */
  isFirst: boolean
  /** What a run before this one said of the end of the effect, when only its job was left to be completed. */
  ended: string | undefined
  /** Whether this run came as far as to make the call. */
  passed: () => boolean
  /** The key that says that the call of this run is at work, and the value it has then. */
  call: () => { key: string; own: string } | undefined
  /** For how many ms more an earlier call may be at work: of this job, and of another one that it must not run beside. */
  busyMs: number
  besideMs: number
  /** At the end of a run that failed: leaves in Redis what the next one must know. */
  failed: () => Promise<void>
}

// With the first two keys it does what BullMQ's `extendLock` does. A lane whose head is another one can only be so by what an earlier
// release put into it.
const passOver = script(`${passingBeside}
local lock, stalled, atWork, marker, job, lane, beside = unpack(KEYS)
local token, lockMs, id, own, atWorkMs, markSeconds, seen, mark = unpack(ARGV)
if redis.call('GET', lock) ~= token then return 0 end
if lane ~= job and redis.call('ZSCORE', lane, id) and redis.call('ZRANGE', lane, 0, 0)[1] ~= id then return -1 end
if not passes(beside, seen, mark) then return -1 end
redis.call('SET', lock, token, 'PX', lockMs)
redis.call('SREM', stalled, id)
redis.call('SET', atWork, own, 'PX', atWorkMs)
redis.call('HSETNX', job, 'begun', own)
if markSeconds ~= '0' then redis.call('SET', marker, own, 'EX', markSeconds) end
return 1`)

// A worker of an earlier release writes only the key.
const lookBack = script(`
local busyMs = redis.call('PTTL', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 1 and busyMs > 0 then redis.call('HSETNX', KEYS[1], 'begun', redis.call('GET', KEYS[2])) end
local begun, idle, ended = unpack(redis.call('HMGET', KEYS[1], 'begun', 'idle', 'ended'))
return {busyMs, begun and 1 or 0, idle or '', ended or ''}`)

const over = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
if ARGV[2] == '0' then return 1 end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
if redis.call('HGET', KEYS[3], 'begun') == ARGV[1] then redis.call('HDEL', KEYS[3], 'begun') end
return 1`)

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
  const marker = begunKey(prefix, effect)
  const lane = sink.order === 'lane' ? laneKeys(prefix).lane(effect) : jobKey
  const isMarked = sink.repeat === 'at-most-once'
  const own = randomUUID()
  let call: 'none' | 'at work' | 'answered' | 'undone' = 'none'

  const beside = await lookBeside({ redis, prefix, queue, alone: sink.alone(effect.data), id, atWorkOf })
  const isNew = runs === 1 && effect.again !== true
  const { busyMs, isBegun, idle, ended } = isNew ? nothingYet : await before(redis, jobKey, atWork)
  // `idle` is the number of the last run that said to an earlier release that it made no call; of one whose effects stand in lanes
  // otherwise, a run that said nothing may have made it. Serial sinks pass no fence, so any run of theirs may have made its effect.
  const isTold = job.name === inLane || Number(idle) === runs - 1
  const isFirst = effect.again !== true && !isBegun && (runs === 1 || (isTold && sink.order === 'lane'))

  return {
    isFirst,
    ended: ended === '' ? undefined : ended,
    passed: () => call !== 'none',
    call: () => (call === 'none' ? undefined : { key: atWork, own }),
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
          const keys = [queue.toKey(`${id}:lock`), queue.toKey('stalled'), atWork, marker, jobKey, lane, ...beside.keys]
          const args = [token, lockMs, id, own, callMs + settleMs, isMarked ? begunKeepSeconds : 0, beside.seen, beside.mark(own)]
          const passed = await passOver(redis, keys, args)
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
    async failed() {
      // Redis may have lost the key meanwhile: write it again.
      if (call === 'at work') await redis.set(atWork, own, 'PX', callMs + settleMs, 'NX')
      if (call === 'answered' || call === 'undone') await over(redis, [atWork, marker, jobKey], [own, call === 'undone' ? 1 : 0])
    },
  }
}

const nothingYet = { busyMs: 0, isBegun: false, idle: '', ended: '' }

async function before(redis: Redis, jobKey: string, atWork: string): Promise<typeof nothingYet> {
  const answer = await lookBack(redis, [jobKey, atWork], [])
  const [busyMs = '0', begun, idle = '', ended = ''] = Array.isArray(answer) ? answer.map(String) : []
  return { busyMs: Number(busyMs), isBegun: begun === '1', idle, ended }
}

// A job that was under way at two deaths of a worker may have killed it, or was only beside. It is tried alone in its
// process: when that ends, however, it was not the one. When the worker dies of it, too, it is given up, unless others died
// alone as well: then workers die of something else, and it takes a second such death.
import { setTimeout as pause } from 'node:timers/promises'
import type { Job } from 'bullmq'
import { z } from 'zod'
import { Permanent } from '#shared/process/errors.ts'
import { readJson } from '#shared/process/json.ts'
import { keyPrefix, type QueuePlace } from '#shared/queue/queues.ts'
import { openRoom } from './room.ts'

export type Trials = {
  /** Runs `attempt` of `job` when it may. Throws `Permanent` in its place when it is what kills workers; `signal` ends the waiting. */
  run: (job: Pick<Job, 'queueName' | 'id' | 'stalledCounter'>, signal: AbortSignal, attempt: () => Promise<void>) => Promise<void>
}

/** `deaths`: how often a worker died while the job was alone; `onTrial` while it is; `clearedAt`: the stalls of which it was cleared. */
const suspectSchema = z.object({ deaths: z.number(), onTrial: z.boolean().optional(), clearedAt: z.number().optional() })
type Suspect = z.output<typeof suspectSchema>

const stallsOfSuspects = 2
const keepSeconds = 3600
const beatMs = 1000
const listenMs = 3000
const othersMs = 60_000

/** The trials of one process; what is known of suspects is in Redis, for all of them. */
export function openTrials({ redis, prefix }: QueuePlace): Trials {
  const room = openRoom()
  const suspects = `${keyPrefix(prefix)}:suspects`
  const deathsOfAll = `${suspects}:deaths`
  const beatOf = (name: string) => `${suspects}:beat:${name}`

  async function read(name: string): Promise<Suspect> {
    return suspectSchema.safeParse(readJson((await redis.hget(suspects, name)) ?? '')).data ?? { deaths: 0 }
  }

  async function write(name: string, suspect: Suspect): Promise<void> {
    await redis.multi().hset(suspects, name, JSON.stringify(suspect)).expire(suspects, keepSeconds).exec()
  }

  // Asks for a sign of life. A process that was frozen, or lost its lock while Redis was, gives one; a dead process does not.
  async function hasDied(name: string, signal: AbortSignal): Promise<boolean> {
    await redis.del(beatOf(name))
    await pause(listenMs, undefined, { signal })
    return (await redis.exists(beatOf(name))) === 0
  }

  async function deathsAfterTrial(name: string, { deaths }: Suspect, signal: AbortSignal): Promise<number> {
    if (!(await hasDied(name, signal))) return deaths
    await redis.multi().incr(deathsOfAll).expire(deathsOfAll, keepSeconds).exec()
    return deaths + 1
  }

  async function isGuilty(name: string, { deaths }: Suspect, signal: AbortSignal): Promise<boolean> {
    if (deaths !== 1) return deaths > 1
    for (const end = Date.now() + othersMs; Date.now() < end && (await isAnotherUntried(name)); ) await pause(beatMs, undefined, { signal })
    return Number(await redis.get(deathsOfAll)) <= 1
  }

  async function isAnotherUntried(name: string): Promise<boolean> {
    const others = Object.entries(await redis.hgetall(suspects)).filter(([other]) => other !== name)
    return others.some(([, text]) => {
      const { data } = suspectSchema.safeParse(readJson(text))
      return data?.deaths === 0 && data.clearedAt === undefined
    })
  }

  async function giveUp(name: string, { deaths }: Suspect): Promise<void> {
    await redis.multi().hdel(suspects, name).decrby(deathsOfAll, deaths).exec()
  }

  async function tryAlone(
    name: string,
    suspect: Suspect,
    stalls: number,
    signal: AbortSignal,
    attempt: () => Promise<void>,
  ): Promise<void> {
    const leave = await room.enterAlone(signal)
    const beat = () => void redis.set(beatOf(name), 1, 'PX', listenMs).catch(() => undefined)
    const beating = setInterval(beat, beatMs)
    try {
      await write(name, { ...suspect, onTrial: true })
      await attempt()
    } finally {
      clearInterval(beating)
      leave()
      await write(name, { deaths: 0, clearedAt: stalls })
    }
  }

  async function beside(attempt: () => Promise<void>): Promise<void> {
    const leave = await room.enter()
    try {
      await attempt()
    } finally {
      leave()
    }
  }

  return {
    async run(job, signal, attempt) {
      // Chores may take minutes. They are ours; nobody waits for them to end.
      if (job.queueName === 'chores') return await attempt()
      const { stalledCounter: stalls } = job
      if (stalls < stallsOfSuspects) return await beside(attempt)
      const name = `${job.queueName}/${job.id}`
      const known = await read(name)
      if (known.clearedAt === stalls) return await beside(attempt)
      const suspect = { deaths: known.onTrial === true ? await deathsAfterTrial(name, known, signal) : known.deaths }
      await write(name, suspect)
      if (await isGuilty(name, suspect, signal)) {
        await giveUp(name, suspect)
        throw new Permanent(`It was under way at ${stalls} deaths of a worker, and nothing else was at the last one.`)
      }
      await tryAlone(name, suspect, stalls, signal, attempt)
    },
  }
}

// What goes wrong in a round, decided by its seed: processes are killed and frozen, also for longer than a job's lock,
// and the remotes have faults that come and go.
import { setTimeout as pause } from 'node:timers/promises'
import type { Sandbox } from '../sandbox/sandbox.ts'
import type { Fault, Remote } from '../sandbox/server.ts'
import type { Actor, ServiceActor } from './actors.ts'
import type { Random } from './random.ts'

/** For how long the workers of a round wait for a comment or a note, and how long after that it may still be carried out. */
export const limits = { CALL_SECONDS: '3', SETTLE_SECONDS: '5' }
const callMs = Number(limits.CALL_SECONDS) * 1000
const settleMs = Number(limits.SETTLE_SECONDS) * 1000
// What is carried out late is so at any time within these two, but for what a busy machine takes.
const latestMs = callMs + settleMs - 1500

export type Tally = { kills: number; freezes: number; faults: number; rollouts: number }

type Parts = {
  actors: Actor[]
  sandbox: Sandbox
  random: Random
  seconds: number
  /** Whether workers, and Redis alone, are frozen for longer than jobs are kept, too: what then may be doubled is in the README. */
  longFreezes: boolean
  /** Which ingests are replaced by others while Redis is away, if any, as decided by a chance of their own. */
  rollouts: { redis: Actor; ingests: ServiceActor[]; random: Random } | undefined
  note: (text: string) => void
}

/** Makes trouble for about `seconds`; when it ends everybody lives and every remote is well. */
export async function makeTrouble({ actors, sandbox, random, seconds, longFreezes, rollouts, note }: Parts): Promise<Tally> {
  const tally: Tally = { kills: 0, freezes: 0, faults: 0, rollouts: 0 }
  const end = Date.now() + seconds * 1000
  const left = () => Math.max(0, end - Date.now())
  const busy = new Set<Actor>()

  async function kill(actor: Actor): Promise<void> {
    tally.kills++
    const ms = random.whole(0, actor.name === 'redis' || actor.name === 'mariadb' ? 4000 : 2000)
    note(`kill ${actor.name} for ${ms} ms`)
    await actor.kill()
    await pause(Math.min(ms, left()))
    await actor.start()
  }

  async function freeze(actor: Actor): Promise<void> {
    tally.freezes++
    const long = longFreezes && /^(worker|redis)/.test(actor.name) && random.chance(0.3)
    const ms = long ? random.whole(8000, actor.name === 'redis' ? 12_000 : 18_000) : random.whole(100, 3500)
    note(`freeze ${actor.name} for ${ms} ms`)
    actor.freeze()
    await pause(ms)
    actor.thaw()
  }

  async function strike(actor: Actor, how: (actor: Actor) => Promise<void>): Promise<void> {
    if (busy.has(actor)) return
    busy.add(actor)
    await how(actor)
    busy.delete(actor)
  }

  // Redis goes, one ingest goes, another of another host comes to its spool, Redis comes back.
  async function rollOut({ redis, ingests, random }: NonNullable<Parts['rollouts']>): Promise<void> {
    while (left() > 0) {
      await pause(Math.min(random.whole(500, 3000), left()))
      const ingest = ingests[random.whole(0, ingests.length - 1)]
      const [isGraceful, spoolMs, gapMs] = [random.chance(0.6), random.whole(300, 2000), random.whole(0, 1000)]
      if (left() === 0 || !ingest || busy.has(ingest) || busy.has(redis)) continue
      tally.rollouts++
      note(`${ingest.name} is ${isGraceful ? 'stopped' : 'killed'} and replaced while redis is away, for ${spoolMs + gapMs} ms`)
      for (const actor of [redis, ingest]) busy.add(actor)
      await redis.kill()
      await pause(spoolMs)
      await (isGraceful ? ingest.stop() : ingest.kill())
      ingest.move()
      await ingest.start()
      await pause(gapMs)
      await redis.start()
      for (const actor of [redis, ingest]) busy.delete(actor)
    }
  }

  // Calls that take a while, so that whoever dies or freezes often does so in the middle of one.
  const sluggish: Fault = { kind: 'slow', ms: random.whole(20, 250) }

  async function sicken(name: string, remote: Remote): Promise<void> {
    remote.fault(sluggish)
    await beFaulty(name, remote)
    remote.fault(undefined)
  }

  async function beFaulty(name: string, remote: Remote): Promise<void> {
    while (left() > 0) {
      await pause(Math.min(random.whole(200, 4000), left()))
      if (left() === 0) return
      tally.faults++
      const ms = Math.min(random.whole(300, 5000), left())
      if (random.chance(0.15)) {
        note(`${name} is away for ${ms} ms`)
        await remote.down()
        await pause(ms)
        await remote.up()
      } else {
        const fault = anyFault(random)
        note(`${name}: ${JSON.stringify(fault)} for ${ms} ms`)
        remote.fault(fault)
        await pause(ms)
        remote.fault(sluggish)
      }
    }
  }

  const [first, ...others] = actors
  if (!first) return tally
  const under = [sicken('phabricator', sandbox.phabricator), sicken('gitlab', sandbox.gitlab), sicken('wiki', sandbox.wiki)]
  if (rollouts) under.push(rollOut(rollouts))
  while (left() > 0) {
    await pause(Math.min(random.whole(100, 1500), left()))
    if (left() > 0) under.push(strike(random.pick([first, ...others]), random.chance(0.6) ? kill : freeze))
  }
  await Promise.all(under)
  for (const actor of actors) await actor.start()
  return tally
}

function anyFault(random: Random): Fault {
  const headers = random.chance(0.3) ? { 'retry-after': String(random.whole(1, 3)) } : {}
  const soonMs = random.whole(0, callMs)
  const status = random.pick([undefined, 502, 503, 504])
  const late = { soonMs, ms: random.whole(soonMs, latestMs), ...(status !== undefined && { status }) }
  const faults: [Fault, ...Fault[]] = [
    { kind: 'refuse' },
    { kind: 'hang', times: random.whole(1, 3) },
    { kind: 'status', status: random.pick([429, 500, 502, 503, 504]), headers },
    { kind: 'slow', ms: random.whole(50, latestMs), times: random.whole(1, 8) },
    { kind: 'late', ...late, times: random.whole(1, 8) },
    { kind: 'late', ...late, times: random.whole(1, 8) },
    { kind: 'commit-then-drop', times: random.whole(1, 8) },
    { kind: 'commit-then-hang', times: random.whole(1, 3) },
  ]
  return random.pick(faults)
}

// `status`: how everything stands, on one screen. What is away is said, and the rest is told all the same.

import { type Database, DatabaseAway, meaningOf } from '#shared/journal/database.ts'
import { writeMark } from '#shared/journal/marks.ts'
import { readSilence } from '#shared/journal/silence.ts'
import { inWords } from '#shared/process/errors.ts'
import { type Presence, present } from '#shared/queue/presence.ts'
import { onStanding, redisTrouble, whyAway } from '#shared/queue/redis-trouble.ts'
import { daysLeft, type KnownToken, knownToken } from '#sinks/gitlab/token/memory.ts'
import { redisIsAway } from '../away.ts'
import type { OpsContext } from '../context.ts'
import { type LossState, losses } from './losses.ts'
import { pausedBy } from './paused-by.ts'
import { type NextRestart, nextRestart } from './processes.ts'
import { type QueueState, queueStates, type RemoteState, remoteStates } from './queue-states.ts'
import { type SpoolState, spoolAsked, spoolTold } from './spools.ts'

/** `readable`: what is in it is told below. */
export type PartState = { state: 'up' | 'down'; reason: string | null; readable: boolean }
export type Status = {
  at: string
  /** Both are up when they take what the service writes; one that only refuses writes can be read all the same. */
  redis: PartState
  database: PartState
  /** Empty when Redis cannot be read, as are `remotes` and `processes`. */
  queues: QueueState[]
  remotes: RemoteState[]
  processes: Presence[]
  /** Of all ingest processes together; null when nobody can say. */
  spool: SpoolState | null
  feed: { subscribers: number } | null
  /** GitLab's token, as somebody saw it last. */
  token: { expiresAt: string | null; daysLeft: number | null; active: boolean; checkedAt: string } | null
  /** What was lost, and nobody has acknowledged yet; empty when Redis cannot be read. */
  losses: LossState[]
  /** Dead letters; by the queues when the database is away, and null when Redis cannot be read either. */
  dead: number | null
  lastDelivery: { id: string; at: string; kind: string } | null
  nextRestart: NextRestart
  /** For how many seconds no delivery has come, and how long that is usual at this hour; null when nobody can say. */
  silence: { seconds: number; usualSeconds: number } | null
}

/** How everything stands. Never rejects. */
export async function status(context: OpsContext): Promise<Status> {
  const [redis, { part: database, ...told }] = await Promise.all([askRedis(context), askDatabase(context.database)])
  const { part, ...found } = redis
  return {
    at: new Date().toISOString(),
    redis: part,
    database,
    ...found,
    queues: await withPausedBy(found.queues, context.database),
    ...told,
    nextRestart: nextRestart({ redis: part, ...found }),
    dead: told.dead ?? deadInQueues(found.queues),
  }
}

type InRedis = Pick<Status, 'queues' | 'remotes' | 'processes' | 'spool' | 'feed' | 'token' | 'losses'>
type InDatabase = Pick<Status, 'dead' | 'lastDelivery' | 'silence'>

const up: PartState = { state: 'up', reason: null, readable: true }
const down = (reason: string, readable: boolean): PartState => ({ state: 'down', reason, readable })

// What is there is read first: a client whose write was refused connects anew.
async function askRedis(context: OpsContext): Promise<InRedis & { part: PartState }> {
  const { redis, prefix, seen } = context
  const { redisUrl: url } = context.config
  try {
    const found = await onStanding(redis, () => lookInRedis(context))
    const trouble = await redisTrouble({ redis, prefix, url })
    if (!trouble) return { part: up, ...found }
    // Nobody can write that it is there.
    const processes = seen.processes.map((one) => ({ ...one, silent: false }))
    return { part: down(trouble.reason, true), ...found, processes, spool: await spoolAsked(processes) }
  } catch (error) {
    const reason = redisIsAway(error) ? (await whyAway(url, error)).reason : inWords(error)
    const spool = await spoolAsked(seen.processes)
    return { part: down(reason, false), queues: [], remotes: [], processes: [], spool, feed: null, token: null, losses: [] }
  }
}

async function lookInRedis(context: OpsContext): Promise<InRedis> {
  const [queues, processes, token, lost] = await Promise.all([queueStates(context), present(context), knownToken(context), losses(context)])
  context.seen.processes = await present(context, true)
  return {
    queues,
    remotes: remoteStates(queues, processes, context.config),
    processes,
    spool: spoolTold(processes),
    feed: { subscribers: processes.reduce((sum, { feed }) => sum + (feed?.subscribers ?? 0), 0) },
    token: token ? tokenState(token) : null,
    losses: lost,
  }
}

// Without who paused it where the audit log cannot be read.
async function withPausedBy(queues: QueueState[], database: Database): Promise<QueueState[]> {
  if (!queues.some(({ paused }) => paused)) return queues
  const known = await pausedBy(database).catch(() => undefined)
  return queues.map((queue) => (queue.paused ? { ...queue, pausedBy: known?.get(queue.id) ?? null } : queue))
}

// The journal's own jobs, and chores, are no effects.
function deadInQueues(queues: QueueState[]): number | null {
  if (queues.length === 0) return null
  return queues.reduce((sum, { id, dead }) => sum + (id === 'journal' || id === 'chores' ? 0 : dead), 0)
}

function tokenState({ expiresAt, active, checkedAt }: KnownToken): NonNullable<Status['token']> {
  return { expiresAt: expiresAt ?? null, daysLeft: expiresAt === undefined ? null : daysLeft(expiresAt), active, checkedAt }
}

async function askDatabase(database: Database): Promise<InDatabase & { part: PartState }> {
  try {
    const found = await lookInDatabase(database)
    const trouble = await writeMark(database, 'health').then(() => undefined, meaningOf)
    return { part: trouble instanceof DatabaseAway ? down(inWords(trouble), true) : up, ...found }
  } catch (error) {
    return { part: down(inWords(meaningOf(error)), false), dead: null, lastDelivery: null, silence: null }
  }
}

async function lookInDatabase(database: Database): Promise<InDatabase> {
  const newest = database.selectFrom('deliveries').select(['id', 'received_at', 'kind']).orderBy('received_at', 'desc').limit(1)
  const letters = database.selectFrom('effects').select(({ fn }) => fn.countAll<number>().as('count'))
  const [last, { count }, silence] = await Promise.all([
    newest.executeTakeFirst(),
    letters.where('state', '=', 'dead').executeTakeFirstOrThrow(),
    readSilence(database),
  ])
  return {
    dead: Number(count),
    lastDelivery: last ? { id: last.id, at: last.received_at.toISOString(), kind: last.kind } : null,
    silence: silence ? { seconds: silence.seconds, usualSeconds: silence.usualSeconds } : null,
  }
}

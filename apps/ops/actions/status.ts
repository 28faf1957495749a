// `status`: how everything stands, on one screen. What is away is said, and the rest is told all the same.

import { type Database, meaningOf } from '#shared/journal/database.ts'
import { readSilence } from '#shared/journal/silence.ts'
import { inWords } from '#shared/process/errors.ts'
import { type Presence, present } from '#shared/queue/presence.ts'
import { daysLeft, type KnownToken, knownToken } from '#sinks/gitlab/token/memory.ts'
import { meaningOfRedis } from '../away.ts'
import type { OpsContext } from '../context.ts'
import { pausedBy } from './paused-by.ts'
import { type QueueState, queueStates, type RemoteState, remoteStates } from './queue-states.ts'

export type PartState = { state: 'up' | 'down'; reason: string | null }
export type Status = {
  at: string
  redis: PartState
  database: PartState
  /** Empty when Redis is away, as are `remotes` and `processes`. */
  queues: QueueState[]
  remotes: RemoteState[]
  processes: Presence[]
  /** Of all ingest processes together; null when Redis is away. */
  spool: { deliveries: number; bytes: number; since: string | null; unreadable: { files: number; reason: string } | null } | null
  feed: { subscribers: number } | null
  /** GitLab's token, as somebody saw it last. */
  token: { expiresAt: string | null; daysLeft: number | null; active: boolean; checkedAt: string } | null
  /** Dead letters; null when the database is away. */
  dead: number | null
  lastDelivery: { id: string; at: string; kind: string } | null
  /** For how many seconds no delivery has come, and how long that is usual at this hour; null when nobody can say. */
  silence: { seconds: number; usualSeconds: number } | null
}

/** How everything stands. Never rejects. */
export async function status(context: OpsContext): Promise<Status> {
  const [inRedis, inDatabase] = await Promise.all([
    lookInRedis(context).then(up, (error: unknown) => down<InRedis>(meaningOfRedis(error, context.config.redisUrl))),
    lookInDatabase(context.database).then(up, (error: unknown) => down<InDatabase>(meaningOf(error))),
  ])
  return {
    at: new Date().toISOString(),
    redis: inRedis.part,
    database: inDatabase.part,
    ...(inRedis.found ?? { queues: [], remotes: [], processes: [], spool: null, feed: null, token: null }),
    queues: await withPausedBy(inRedis.found?.queues ?? [], context.database),
    ...(inDatabase.found ?? { dead: null, lastDelivery: null, silence: null }),
  }
}

type InRedis = Pick<Status, 'queues' | 'remotes' | 'processes' | 'spool' | 'feed' | 'token'>
type InDatabase = Pick<Status, 'dead' | 'lastDelivery' | 'silence'>

const up = <T>(found: T) => ({ found, part: { state: 'up' as const, reason: null } })
const down = <T>(error: unknown) => ({ found: undefined as T | undefined, part: { state: 'down' as const, reason: inWords(error) } })

async function lookInRedis(context: OpsContext): Promise<InRedis> {
  const [queues, processes, token] = await Promise.all([queueStates(context), present(context), knownToken(context)])
  return {
    queues,
    remotes: remoteStates(queues, context.config),
    processes,
    ...together(processes),
    token: token ? tokenState(token) : null,
  }
}

// Without who paused it where the audit log cannot be read.
async function withPausedBy(queues: QueueState[], database: Database): Promise<QueueState[]> {
  if (!queues.some(({ paused }) => paused)) return queues
  const known = await pausedBy(database).catch(() => undefined)
  return queues.map((queue) => (queue.paused ? { ...queue, pausedBy: known?.get(queue.id) ?? null } : queue))
}

function together(processes: Presence[]): Pick<InRedis, 'spool' | 'feed'> {
  const spools = processes.flatMap(({ spool }) => spool ?? [])
  const unreadable = spools.flatMap((spool) => spool.unreadable ?? [])
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
  return {
    spool: {
      deliveries: sum(spools.map(({ deliveries }) => deliveries)),
      bytes: sum(spools.map(({ bytes }) => bytes)),
      since: spools.flatMap(({ since }) => since ?? []).toSorted()[0] ?? null,
      unreadable: unreadable[0] ? { files: sum(unreadable.map(({ files }) => files)), reason: unreadable[0].reason } : null,
    },
    feed: { subscribers: sum(processes.map(({ feed }) => feed?.subscribers ?? 0)) },
  }
}

function tokenState({ expiresAt, active, checkedAt }: KnownToken): NonNullable<Status['token']> {
  return { expiresAt: expiresAt ?? null, daysLeft: expiresAt === undefined ? null : daysLeft(expiresAt), active, checkedAt }
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

// For what effects wait that are planned and not yet made: for their remote, for an operator who paused the sink, for the next
// attempt, or for what was planned earlier in another sink and may bring some that belong before them.
import type { Queue } from 'bullmq'
import { sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'
import { type Hold, readHold } from '#shared/queue/hold.ts'
import { mostWaitMs } from '#shared/queue/lanes.ts'
import type { QueuePlace } from '#shared/queue/queues.ts'
import { declarationOf } from '#sinks/registry.ts'
import { titleOf } from '#sinks/remote.ts'

/** `queues` are those of the sinks, by name. Redis may be away: then that is said. */
export type WaitingParts = QueuePlace & { database: Database; queues: Readonly<Record<string, Queue>> }

/** `state` is `held` or `paused` where the queue is, else undefined. */
export type Waiting = { state: 'held' | 'paused' | undefined; reason: string }

type Effect = { id: string; delivery: string; sink: string; state: string; order_key: string; kind: string; received_at: Date }
type Standing = { hold: Hold | undefined; paused: boolean }

const mostTold = 20
const mostCounted = 1000

/** What each of `effects` waits for that is planned, by id; told of the first twenty. */
export async function whatTheyWaitFor(
  parts: WaitingParts,
  effects: Effect[],
  attempts: ReadonlyMap<string, Array<{ reason: string }>>,
): Promise<Map<string, Waiting>> {
  const waiting = new Map<string, Waiting>()
  const planned = effects.filter(({ state }) => state === 'planned').slice(0, mostTold)
  const standings = new Map<string, Standing | undefined>()
  for (const { sink } of planned) if (!standings.has(sink)) standings.set(sink, await standingOf(parts, sink))
  for (const effect of planned) {
    const found =
      (await whyStopped(parts, effect, standings.get(effect.sink))) ??
      (await whatBelongsBefore(parts.database, effect)) ??
      afterFailures(attempts.get(effect.id) ?? [])
    if (found) waiting.set(effect.id, found)
  }
  return waiting
}

// Undefined while Redis is away, or where there is no such queue.
async function standingOf({ redis, prefix, queues }: WaitingParts, sink: string): Promise<Standing | undefined> {
  try {
    const queue = queues[sink]
    return queue && { hold: await readHold(redis, prefix, sink), paused: await queue.isPaused() }
  } catch {
    return undefined
  }
}

async function whyStopped({ database }: WaitingParts, effect: Effect, standing: Standing | undefined): Promise<Waiting | undefined> {
  if (!standing) return { state: undefined, reason: 'waits; Redis is away, so nobody knows for what' }
  const { hold, paused } = standing
  if (!hold && !paused) return undefined
  const before = `${await countBefore(database, effect)} before it`
  if (paused) return { state: 'paused', reason: `${effect.sink} was paused by an operator; ${before}` }
  return hold && { state: 'held', reason: `${inSentence(hold, effect.sink)}; ${before}` }
}

/** A hold in words: `Phabricator is on hold since 10:12 UTC, it answers 502`. */
function inSentence({ remote, since, reason }: Hold, sink: string): string {
  const named = declarationOf(sink)
    ?.remotesAt({})
    .find(({ name }) => name === remote)
  const title = named ? titleOf(named) : (remote ?? sink)
  const said = reason.replace(/\.$/, '')
  return `${title} is on hold since ${clock(since)}, ${said.startsWith(`${title} `) ? `it ${said.slice(title.length + 1)}` : said}`
}

function clock(at: Date): string {
  const [day, time = ''] = at.toISOString().split('T')
  const isToday = new Date().toISOString().startsWith(`${day}T`)
  return `${isToday ? '' : `${day} `}${time.slice(0, 5)} UTC`
}

async function countBefore(database: Database, { sink, kind, received_at }: Effect): Promise<string> {
  const earlier = database
    .selectFrom('effects')
    .select(sql`1`.as('one'))
    .where('sink', '=', sink)
    .where('state', '=', 'planned')
    .where('kind', '=', kind)
    .where('received_at', '<', received_at)
    .limit(mostCounted + 1)
  const { count } = await database
    .selectFrom(earlier.as('earlier'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count) > mostCounted ? `more than ${mostCounted}` : String(count)
}

async function whatBelongsBefore(
  database: Database,
  { delivery, sink, order_key, kind, received_at }: Effect,
): Promise<Waiting | undefined> {
  const awaited = declarationOf(sink)?.waitsFor
  if (!awaited || Date.now() - received_at.getTime() > mostWaitMs) return undefined
  const question = await database
    .selectFrom('effects')
    .select('delivery')
    .where('sink', '=', awaited.sink)
    .where('state', '=', 'planned')
    .where('kind', '=', kind)
    .where('received_at', '<=', received_at)
    .where('order_key', '=', awaited.order(order_key))
    .where('delivery', '!=', delivery)
    .orderBy('received_at')
    .limit(1)
    .executeTakeFirst()
  const reason = question && `waits until it is known ${awaited.known} (${question.delivery}), for a minute at most`
  return reason === undefined ? undefined : { state: undefined, reason }
}

function afterFailures(failures: Array<{ reason: string }>): Waiting | undefined {
  const last = failures.at(-1)
  if (!last) return undefined
  return {
    state: undefined,
    reason: `failed ${failures.length === 1 ? 'once' : `${failures.length} times`}, and is tried again: ${last.reason}`,
  }
}

// Applies retention to the journal, a few hundred deliveries at a time, so that nothing else waits for it. What
// hangs on a delivery goes first and the delivery last: interrupted anywhere, the next time goes on. Dead letters that
// nobody has dealt with stay, with all of their delivery; what operators did stays five times as long.
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { timesBefore } from './feed.ts'
import { behind, pagesOf } from './keyset.ts'
import { wordsOf } from './words.ts'

/** Rows removed by table (to be removed, in a dry run); `kept` are old deliveries that stay for their dead letters. */
export type Pruned = { before: string; dryRun: boolean; interrupted: boolean; kept: number; removed: Record<string, number> }

export type PruneOptions = { keepDays: number; dryRun: boolean; signal: AbortSignal }

const chunk = 500
const dayMs = 86_400_000
const actsStayLonger = 5

/** Removes what is older than `keepDays` days. Ends early, after the chunk at hand, when `signal` aborts. */
export async function pruneJournal(database: Database, { keepDays, dryRun, signal }: PruneOptions): Promise<Pruned> {
  const before = new Date(Date.now() - keepDays * dayMs)
  const actsBefore = new Date(Date.now() - keepDays * actsStayLonger * dayMs)
  const removed: Record<string, number> = {}
  let kept = 0

  // By values of the first column of the primary key: a list of whole keys takes the database longer to plan than to remove.
  async function remove(table: string, column: string, values: Array<string | number>, more = sql`true`): Promise<void> {
    removed[table] ??= 0
    for (let at = 0; at < values.length; at += chunk) {
      const some = sql.join(values.slice(at, at + chunk))
      const which = sql`from ${sql.table(table)} force index (primary) where ${sql.ref(column)} in (${some}) and ${more}`
      if (dryRun)
        removed[table] += Number((await sql<{ count: number }>`select count(*) as count ${which}`.execute(database)).rows[0]?.count)
      else removed[table] += Number((await sql`delete ${sql.table(table)} ${which}`.execute(database)).numAffectedRows)
    }
  }

  async function removeDeliveries(old: Old[]): Promise<void> {
    const standing = await standingAmong(database, old)
    const going = old.filter(({ id }) => !standing.has(id))
    kept += standing.size
    const ids = going.map(({ id }) => id)
    const words = new Set(going.flatMap(({ title, username }) => wordsOf(title, username)))
    const effects = await effectsOf(database, going)
    await remove('attempts', 'effect', effects)
    await remove('effects', 'id', effects)
    await remove('decisions', 'delivery', ids)
    await remove('words', 'word', [...words], among(going))
    await remove('messages', 'delivery', ids)
    await remove('bodies', 'delivery', ids)
    await remove('deliveries', 'id', ids)
  }

  // As long as the work took, others have the database to themselves.
  async function inChunks<T>(pages: AsyncIterable<T[]>, each: (page: T[]) => Promise<void>): Promise<void> {
    let started = Date.now()
    for await (const page of pages) {
      await each(page)
      if (signal.aborted) return
      await pause(Date.now() - started, undefined, { signal }).catch(() => undefined)
      started = Date.now()
    }
  }

  await inChunks(oldDeliveries(database, before), removeDeliveries)
  await inChunks(timesBefore(database, before, chunk), (times) => remove('feed', 'time', times))
  await inChunks(oldIds(database, 'replays', before), async (ids) => {
    for (const id of ids) await inChunks(chosenIn(database, id), (numbers) => remove('replay_effects', 'number', numbers))
    if (!signal.aborted) await remove('replays', 'id', ids)
  })
  await inChunks(oldIds(database, 'acts', actsBefore), (ids) => remove('acts', 'id', ids))
  return { before: before.toISOString(), dryRun, interrupted: signal.aborted, kept, removed }
}

type Old = { id: string; received_at: Date; title: string | null; username: string | null }

// The rows of `going` by their time, which they have to themselves but for those that stay. Were the last instant written as
// `received_at <=`, MySQL would look for each word with each id when all came at once.
function among(going: Old[]) {
  const [first, last] = [going[0], going.at(-1)]
  if (!first || !last) return undefined
  const end = new Date(last.received_at.getTime() + 1)
  return sql`received_at >= ${first.received_at} and received_at < ${end} and delivery in (${sql.join(going.map(({ id }) => id))})`
}

function oldDeliveries(database: Database, before: Date): AsyncGenerator<Old[]> {
  const query = database
    .selectFrom('deliveries')
    .select(['id', 'received_at', 'title', 'username'])
    .where('received_at', '<', before)
    .orderBy('received_at')
    .orderBy('id')
  return pagesOf(chunk, (last: Old | undefined, count) =>
    query
      .where(behind(last && { received_at: last.received_at, id: last.id }))
      .limit(count)
      .execute(),
  )
}

// Those with a dead letter that nobody has dealt with.
async function standingAmong(database: Database, old: Old[]): Promise<Set<string>> {
  const ids = old.map(({ id }) => id)
  const rows = await database.selectFrom('effects').select('delivery').where('delivery', 'in', ids).where('state', '=', 'dead').execute()
  return new Set(rows.map(({ delivery }) => delivery))
}

async function effectsOf(database: Database, going: Old[]): Promise<string[]> {
  if (going.length === 0) return []
  const ids = going.map(({ id }) => id)
  const rows = await database.selectFrom('effects').select('id').where('delivery', 'in', ids).execute()
  return rows.map(({ id }) => id)
}

async function* chosenIn(database: Database, replay: number): AsyncGenerator<number[]> {
  const query = database.selectFrom('replay_effects').select('number').where('replay', '=', replay).orderBy('number')
  for await (const page of pagesOf(chunk, (last: { number: number } | undefined, count) =>
    query.where(behind(last)).limit(count).execute(),
  ))
    yield page.map(({ number }) => number)
}

async function* oldIds(database: Database, table: 'acts' | 'replays', before: Date): AsyncGenerator<number[]> {
  const query = database.selectFrom(table).select('id').where('at', '<', before).orderBy('id')
  for await (const page of pagesOf(chunk, (last: { id: number } | undefined, count) => query.where(behind(last)).limit(count).execute()))
    yield page.map(({ id }) => id)
}

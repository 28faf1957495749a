// Writes the journal's entries as rows. Every write can be repeated, and they can come in any order.
import { sql } from 'kysely'
import { errorId } from '../errors.ts'
import type { Database } from './database.ts'
import type { DeliveryEntry, EndedEntry, Entry, FailedEntry } from './entry.ts'

/** Writes one entry into `database`. Rejects with the driver's own errors. */
export async function writeEntry(database: Database, entry: Entry): Promise<void> {
  if (entry.type === 'delivery') await writeDelivery(database, entry)
  else if (entry.type === 'failed') await writeFailed(database, entry)
  else await writeEnded(database, entry)
}

async function writeDelivery(database: Database, entry: DeliveryEntry): Promise<void> {
  const { id, decisions, effects } = entry
  await database
    .insertInto('deliveries')
    .ignore()
    .values({
      id,
      received_at: new Date(entry.receivedAt),
      kind: cut(entry.kind, 100),
      action: cutOrNull(entry.action, 100),
      project: cutOrNull(entry.project, 500),
      iid: entry.iid ?? null,
      username: cutOrNull(entry.username, 255),
      title: cutOrNull(entry.title, 500),
      origin: entry.origin ?? 'hook',
    })
    .execute()
  const headers = cut(JSON.stringify(entry.headers), 16_000)
  await database
    .insertInto('bodies')
    .ignore()
    .values({ delivery: id, headers, body: Buffer.from(entry.body, 'base64') })
    .execute()
  if (decisions.length > 0) {
    const rows = decisions.map(({ sink, reason }) => ({ delivery: id, sink, reason: cutOrNull(reason, 600) }))
    await database.insertInto('decisions').ignore().values(rows).execute()
  }
  if (effects.length > 0) {
    const rows = effects.map((effect) => ({ ...effectRow(effect), state: 'planned' as const, attempts: 0 }))
    await database.insertInto('effects').ignore().values(rows).execute()
  }
}

async function writeFailed(database: Database, { effect, number, at, ms, reason }: FailedEntry): Promise<void> {
  const row = { effect, number, at: new Date(at), ms, reason: cut(reason, 600) }
  await database.insertInto('attempts').ignore().values(row).execute()
}

async function writeEnded(
  database: Database,
  { effect, state, reason, link, made, previous, attempts, endedAt }: EndedEntry,
): Promise<void> {
  const error = state === 'dead' ? errorId(reason ?? '') : null
  const found = { reason: cutOrNull(reason, 600), link: cutOrNull(link, 1000), made: cutOrNull(made, 200) }
  const ended = { state, ...found, error, attempts, ended_at: new Date(endedAt) }
  await database
    .insertInto('effects')
    .values({ ...effectRow(effect), ...ended })
    .onDuplicateKeyUpdate(Object.fromEntries(Object.keys(ended).map((column) => [column, newer(column)])))
    .execute()
  if (effect.sink === 'sse' && made !== undefined) await writeMessage(database, made, effect.delivery, previous)
}

async function writeMessage(database: Database, cursor: string, delivery: string, previous: string | undefined): Promise<void> {
  const [time = 0, number = 0] = cursor.split('-').map(Number)
  await database
    .insertInto('feed')
    .ignore()
    .values({ time, number, delivery, previous: previous ?? null })
    .execute()
}

// What ended later counts, but what was done stays done: when it is looked at again there is nothing to do. The columns
// change one after another, so `ended_at`, which all of them compare, is the last.
function newer(column: string) {
  const isLater = sql`(ended_at is null or values(ended_at) >= ended_at)`
  const staysDone = sql`(state = 'done' and values(state) <> 'done')`
  return sql`if(${isLater} and not ${staysDone}, values(${sql.ref(column)}), ${sql.ref(column)})`
}

function effectRow({ id, delivery, sink, order, since }: EndedEntry['effect']) {
  const task = /\/T(\d{1,9})$/.exec(id)?.[1]
  return { id, delivery, sink, order_key: cut(order, 600), task: task === undefined ? null : Number(task), since: new Date(since) }
}

function cut(text: string, longest: number): string {
  return text.slice(0, longest).toWellFormed()
}

function cutOrNull(text: string | undefined, longest: number): string | null {
  return text === undefined ? null : cut(text, longest)
}

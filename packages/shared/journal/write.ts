// Writes the journal's entries as rows. Every write can be repeated, and they can come in any order.
import { sql } from 'kysely'
import { effectId } from '../effect.ts'
import { errorId } from '../errors.ts'
import { writeBody } from './body.ts'
import type { Database } from './database.ts'
import type { DeliveryEntry, EndedEntry, Entry, FailedEntry } from './entry.ts'
import { unread } from './entry.ts'
import type { Tables } from './tables.ts'
import { wordsOf } from './words.ts'

/** Writes one entry into `database`. Rejects with the driver's own errors. */
export async function writeEntry(database: Database, entry: Entry): Promise<void> {
  if (entry.type === 'delivery') await writeDelivery(database, entry)
  else if (entry.type === 'failed') await writeFailed(database, entry)
  else await writeEnded(database, entry)
}

async function writeDelivery(database: Database, entry: DeliveryEntry): Promise<void> {
  const { id, decisions, effects } = entry
  const received_at = new Date(entry.receivedAt)
  const kind = cut(entry.kind, 100)
  const understood = {
    action: cutOrNull(entry.action, 100),
    project: cutOrNull(entry.project, 500),
    iid: entry.iid ?? null,
    username: cutOrNull(entry.username, 255),
    title: cutOrNull(entry.title, 500),
    kind,
  }
  await database
    .insertInto('deliveries')
    .values({ id, received_at, origin: entry.origin ?? 'hook', ...understood })
    .onDuplicateKeyUpdate(Object.fromEntries(Object.keys(understood).map((column) => [column, better(column)])))
    .execute()
  const words = wordsOf(understood.title, understood.username)
  if (words.length > 0) {
    const rows = words.map((word) => ({ word, received_at, delivery: id }))
    await database.insertInto('words').ignore().values(rows).execute()
  }
  if (decisions.length > 0) {
    const rows = decisions.map(({ sink, reason }) => ({ delivery: id, sink, reason: cutOrNull(reason, 600) }))
    await database.insertInto('decisions').ignore().values(rows).execute()
  }
  const told = { received_at, kind, project: understood.project }
  if (effects.length > 0) {
    const rows = effects.map((effect) => ({ ...effectRow(effect), ...told, state: 'planned' as const, attempts: 0 }))
    await database.insertInto('effects').ignore().values(rows).execute()
  }
  await settleEffects(database, entry, told)
  await writeBody(database, entry)
}

// What a delivery was understood to be replaces that it could not be understood. The columns change one after another, so
// `kind`, which all of them look at, is the last.
function better(column: string) {
  return sql`if(kind = ${unread}, values(${sql.ref(column)}), ${sql.ref(column)})`
}

// Effects that ended before their delivery was written down lack what only the delivery tells; and a delivery that could
// be routed is no dead letter of the router any more. Each is looked for first: an update that finds nothing locks a gap.
async function settleEffects(
  database: Database,
  entry: DeliveryEntry,
  told: Pick<Tables['effects'], 'received_at' | 'kind' | 'project'>,
): Promise<void> {
  const { id, routed } = entry
  const found = database.selectFrom('effects').select(['id', 'sink', 'state']).where('delivery', '=', id)
  for (const effect of await found.where((eb) => eb.or([eb('kind', '=', unread), eb('sink', '=', 'router')])).execute()) {
    const healed = effect.id === effectId(id, 'router', 'delivery') && routed === true && effect.state !== 'done'
    const outcome = { state: 'done' as const, reason: null, error: null, ended_at: new Date() }
    await database
      .updateTable('effects')
      .set({ ...told, ...(healed && outcome) })
      .where('id', '=', effect.id)
      .execute()
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
  const told = {
    received_at: toldBy<Date>(effect.delivery, 'received_at', new Date(effect.since)),
    kind: toldBy<string>(effect.delivery, 'kind', unread),
    project: toldBy<string | null>(effect.delivery, 'project', null),
  }
  await database
    .insertInto('effects')
    .values({ ...effectRow(effect), ...told, ...ended })
    .onDuplicateKeyUpdate(Object.fromEntries(Object.keys(ended).map((column) => [column, newer(column)])))
    .execute()
  if (effect.sink === 'sse' && made !== undefined) await writeMessage(database, made, effect.delivery, previous)
}

// What the row of the delivery says, if it is there already.
function toldBy<T>(delivery: string, column: string, otherwise: T) {
  return sql<T>`coalesce((select ${sql.ref(column)} from deliveries where id = ${delivery}), ${otherwise})`
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

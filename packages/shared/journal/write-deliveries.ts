// Deliveries as rows: what they were understood to be, what was decided on them, and their bodies.
import { sql } from 'kysely'
import { effectId } from '#shared/event/effect.ts'
import { writeBodies } from './body.ts'
import type { Database } from './database.ts'
import { type DeliveryEntry, router, unread } from './entry.ts'
import { cut, cutOrNull, effectRow, writeRows } from './rows.ts'
import { wordsOf } from './words.ts'

const understood = ['action', 'project', 'iid', 'username', 'title', 'kind'] as const

/** Writes `given`, their bodies last. Rejects with the driver's own errors. */
export async function writeDeliveries(database: Database, given: DeliveryEntry[]): Promise<void> {
  await writeRows(
    given.map(deliveryRow),
    ({ id }) => id,
    (rows) =>
      database
        .insertInto('deliveries')
        .values(rows)
        .onDuplicateKeyUpdate(Object.fromEntries(understood.map((column) => [column, better(column)])))
        .execute(),
  )
  const entries = await asFirstReceived(database, given)
  const words = entries
    .map(deliveryRow)
    .flatMap(({ id, received_at, title, username }) => wordsOf(title, username).map((word) => ({ word, received_at, delivery: id })))
  await writeRows(
    words,
    ({ word }) => word,
    (rows) => database.insertInto('words').ignore().values(rows).execute(),
  )
  const decisions = entries.flatMap((entry) =>
    entry.decisions.map(({ sink, reason }) => ({ delivery: entry.id, sink, reason: cutOrNull(reason, 600) })),
  )
  await writeRows(
    decisions,
    ({ delivery }) => delivery,
    (rows) => database.insertInto('decisions').ignore().values(rows).execute(),
  )
  const effects = entries.flatMap((entry) => {
    const planned = { ...ofDelivery(entry), state: 'planned' as const, attempts: 0 }
    return entry.effects.map((effect) => ({ ...effectRow(effect), ...planned }))
  })
  await writeRows(
    effects,
    ({ id }) => id,
    (rows) => database.insertInto('effects').ignore().values(rows).execute(),
  )
  await settleEffects(database, entries)
  await writeBodies(database, entries)
}

// A delivery that came again keeps the time at which it first came: by that time its other rows are found and pruned.
async function asFirstReceived(database: Database, entries: DeliveryEntry[]): Promise<DeliveryEntry[]> {
  if (entries.length === 0) return []
  const ids = entries.map(({ id }) => id)
  const rows = await database.selectFrom('deliveries').select(['id', 'received_at']).where('id', 'in', ids).execute()
  const times = new Map(rows.map(({ id, received_at }) => [id, received_at.toISOString()]))
  return entries.map((entry) => ({ ...entry, receivedAt: times.get(entry.id) ?? entry.receivedAt }))
}

function deliveryRow({ id, receivedAt, origin, kind, action, project, iid, username, title }: DeliveryEntry) {
  return {
    id,
    received_at: new Date(receivedAt),
    origin: origin ?? 'hook',
    action: cutOrNull(action, 100),
    project: cutOrNull(project, 500),
    iid: iid ?? null,
    username: cutOrNull(username, 255),
    title: cutOrNull(title, 500),
    kind: cut(kind, 100),
  }
}

// The columns of an effect that are copied from its delivery.
function ofDelivery(entry: DeliveryEntry) {
  const { received_at, kind, project } = deliveryRow(entry)
  return { received_at, kind, project }
}

// A delivery that was understood replaces the row of one that was not. MySQL changes the columns one after another, and all of
// them are decided by `kind`, so that comes last.
function better(column: string) {
  return sql`if(kind = ${unread}, values(${sql.ref(column)}), ${sql.ref(column)})`
}

// Completes the effects that were written before their delivery, and takes back the router's dead letter of a delivery that
// could be routed after all. They are looked for first: an update that finds nothing would lock a gap.
async function settleEffects(database: Database, entries: DeliveryEntry[]): Promise<void> {
  if (entries.length === 0) return
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const found = database
    .selectFrom('effects')
    .select(['id', 'delivery', 'state'])
    .where('delivery', 'in', [...byId.keys()])
  for (const effect of await found.where((eb) => eb.or([eb('kind', '=', unread), eb('sink', '=', router)])).execute()) {
    const entry = byId.get(effect.delivery)
    if (!entry) continue
    const healed = effect.id === effectId(entry.id, router, 'delivery') && entry.routed === true && effect.state !== 'done'
    const outcome = { state: 'done' as const, reason: null, error: null, ended_at: new Date() }
    await database
      .updateTable('effects')
      .set({ ...ofDelivery(entry), ...(healed && outcome) })
      .where('id', '=', effect.id)
      .execute()
  }
}

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

// One that came again is the one that came first: what hangs on it has its time, by which it is found and pruned.
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

// What the effects of a delivery have from it.
function ofDelivery(entry: DeliveryEntry) {
  const { received_at, kind, project } = deliveryRow(entry)
  return { received_at, kind, project }
}

// What a delivery was understood to be replaces that it could not be understood. The columns change one after another, so
// `kind`, which all of them look at, is the last.
function better(column: string) {
  return sql`if(kind = ${unread}, values(${sql.ref(column)}), ${sql.ref(column)})`
}

// Effects that ended before their delivery was written down lack what only the delivery tells; and a delivery that could
// be routed is no dead letter of the router any more. Each is looked for first: an update that finds nothing locks a gap.
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

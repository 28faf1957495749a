// Deliveries as rows: what they were understood to be, what was decided on them, and their bodies.
import { writeBodies } from './body.ts'
import type { Database } from './database.ts'
import { type DeliveryEntry, unread } from './entry.ts'
import { completeEffects, type FactsById, factsOf } from './facts.ts'
import { writeKeptMessages } from './feed.ts'
import { cut, cutOrNull, effectRow, insertRows } from './rows.ts'
import { wordsOf } from './words.ts'

// A delivery that was understood replaces the row of one that was not. MySQL changes the columns one after another, and all of
// them are decided by `kind`, so that comes last.
const update = ['action', 'project', 'iid', 'username', 'title', 'kind']
  .map((column) => `${column} = if(kind = '${unread}', values(${column}), ${column})`)
  .join()

/**
 * Writes `entries`, their bodies last; but not those of their effects that are in `ended`, which are written with their end.
 * Answers what the deliveries' rows say. Rejects with the driver's own errors.
 */
export async function writeDeliveries(database: Database, entries: DeliveryEntry[], ended: ReadonlySet<string>): Promise<FactsById> {
  const rows = entries.map(deliveryRow)
  await insertRows(database, 'deliveries', rows, update)
  // A delivery that came again keeps the time at which it first came: by that time its other rows are found and pruned.
  const known = await factsOf(
    database,
    entries.map(({ id }) => id),
  )
  const words = rows.flatMap(({ id, received_at, title, username }) =>
    wordsOf(title, username).map((word) => ({ word, received_at: known.get(id)?.received_at ?? received_at, delivery: id })),
  )
  await insertRows(database, 'words', words)
  const decisions = entries.flatMap(({ id, decisions }) =>
    decisions.map(({ sink, reason }) => ({ delivery: id, sink, reason: cutOrNull(reason, 600) })),
  )
  await insertRows(database, 'decisions', decisions)
  const planned = entries.flatMap(({ id, effects }) => {
    const facts = known.get(id)
    if (!facts) return []
    return effects.filter((effect) => !ended.has(effect.id)).map((effect) => ({ ...effectRow(effect), ...facts, state: 'planned' }))
  })
  await insertRows(database, 'effects', planned)
  const routed = entries.flatMap(({ id, routed }) => (routed === true ? [id] : []))
  await completeEffects(database, known, new Set(routed))
  await writeKeptMessages(database, entries)
  await writeBodies(database, entries)
  return known
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

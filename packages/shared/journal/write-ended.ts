// Effects that others brought, and how effects ended, as rows.
import { errorId } from '#shared/process/errors.ts'
import type { Database } from './database.ts'
import { type EndedEntry, type PlannedEntry, unread } from './entry.ts'
import { completeEffects, type FactsById, factsOf } from './facts.ts'
import { writeMessages } from './feed.ts'
import { cutOrNull, effectRow, insertRows } from './rows.ts'

// Of two ends of an effect the later one counts, but done counts in any case. MySQL changes the columns one after another, and
// all of them are decided by `ended_at` and `state`, so these come last. Once `ended_at` has changed it equals the new one,
// which counts as later, so `state` changes with it.
const isLater = `(ended_at is null or values(ended_at) >= ended_at)`
const isDone = `(values(state) = 'done' and state <> 'done')`
const staysDone = `(state = 'done' and values(state) <> 'done')`
const update = ['reason', 'link', 'made', 'error', 'attempts', 'ended_at', 'state']
  .map((column) => `${column} = if((${isLater} or ${isDone}) and not ${staysDone}, values(${column}), ${column})`)
  .join()

/** Writes the effects in `entries`, unless they are there; `known` as in `writeEnded`. Rejects with the driver's own errors. */
export async function writePlanned(database: Database, entries: PlannedEntry[], known: FactsById): Promise<void> {
  const rows = entries.flatMap(({ effects }) => effects.map((effect) => ({ effect, state: 'planned' as const })))
  await insertEffects(database, rows, known)
}

/** Writes `entries`; what some deliveries' rows say is `known`. Rejects with the driver's own errors. */
export async function writeEnded(database: Database, entries: EndedEntry[], known: FactsById): Promise<void> {
  await insertEffects(database, entries.map(endOf), known, update)
  await writeMessages(database, entries)
}

async function insertEffects(
  database: Database,
  rows: Array<ReturnType<typeof endOf> | { effect: EndedEntry['effect']; state: 'planned' }>,
  known: FactsById,
  update?: string,
): Promise<void> {
  const others = [...new Set(rows.map(({ effect }) => effect.delivery))].filter((delivery) => !known.has(delivery))
  const all = new Map([...known, ...(await factsOf(database, others))])
  await insertRows(
    database,
    'effects',
    rows.map(({ effect, ...more }) => ({
      ...effectRow(effect),
      ...(all.get(effect.delivery) ?? { received_at: new Date(effect.since), kind: unread, project: null }),
      ...more,
    })),
    update,
  )
  const unknown = others.filter((delivery) => !all.has(delivery))
  await completeEffects(database, await factsOf(database, unknown), new Set())
}

function endOf({ effect, state, reason, link, made, attempts, endedAt, toldAtMs }: EndedEntry) {
  return {
    effect,
    state,
    reason: cutOrNull(reason, 600),
    link: cutOrNull(link, 1000),
    made: cutOrNull(made, 200),
    error: state === 'dead' ? errorId(reason ?? '') : null,
    attempts,
    ended_at: new Date(toldAtMs ?? endedAt),
  }
}

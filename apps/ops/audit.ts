// An act is written down before it is done, and to how many things it happened when it is over, however it ended: what
// was interrupted, or failed half-way, is on record, too.
import type { Database } from '#shared/journal/database.ts'
import { readObject } from '#shared/process/json.ts'

/** Writes down what an operator did: the verb, why, what it was asked for, and to how many things it happened; the act's id. */
export type RecordAct = (verb: string, reason: string, details: object, count: number) => Promise<number>

/** How what `who` does is written down in `database`. */
export function recorder(database: Database, who: string): RecordAct {
  return async function record(verb, reason, details, count) {
    const act = {
      at: new Date(),
      who: who.slice(0, 100),
      verb,
      reason: reason.slice(0, 600),
      details: detailsOf(details),
      count,
    }
    const { insertId } = await database.insertInto('acts').values(act).executeTakeFirstOrThrow()
    return Number(insertId)
  }
}

/** What is known of an act while it goes on: to how many things it has happened, and what there is to say besides. */
export type Tally = { count: number; details: object }

type AuditEntry = { verb: string; reason: string; details: object }

/** Does `work`, which keeps the tally, as the act `verb`. Throws what `work` throws. */
export async function onRecord<T>(
  { record, database }: { record: RecordAct; database: Database },
  { verb, reason, details }: AuditEntry,
  work: (tally: Tally) => Promise<T>,
): Promise<T> {
  const act = await record(verb, reason, { ...details, underWay: true }, 0)
  const tally: Tally = { count: 0, details }
  try {
    return await work(tally)
  } finally {
    const told = { count: tally.count, details: detailsOf(tally.details) }
    await database.updateTable('acts').set(told).where('id', '=', act).execute()
  }
}

/** Writes down something more about the act with the number `act`. */
export async function addDetails(database: Database, act: number, more: object): Promise<void> {
  const { details } = await database.selectFrom('acts').select('details').where('id', '=', act).executeTakeFirstOrThrow()
  const known = readObject(details)
  if (known)
    await database
      .updateTable('acts')
      .set({ details: detailsOf({ ...known, ...more }) })
      .where('id', '=', act)
      .execute()
}

const longest = 60_000

// The details as they are written down.
function detailsOf(details: object): string {
  return JSON.stringify(details).slice(0, longest)
}

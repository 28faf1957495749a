// Who paused a sink, and why, as the audit log has it.
import type { Database } from '#shared/journal/database.ts'
import { readJson } from '#shared/process/json.ts'

export type PausedBy = { who: string; reason: string; since: string }

const most = 200

/**
 * Who paused each sink, by its name. A sink whose last act was that it was resumed, or for which none of the latest 200 is, has
 * no entry. Rejects when the database is away.
 */
export async function pausedBy(database: Database): Promise<Map<string, PausedBy>> {
  const acts = await database
    .selectFrom('acts')
    .where('verb', 'in', ['pause', 'resume'])
    .where('count', '>', 0)
    .select(['at', 'who', 'verb', 'reason', 'details'])
    .orderBy('id', 'desc')
    .limit(most)
    .execute()
  const latest = new Map(acts.toReversed().map((act) => [sinkOf(act.details), act]))
  return new Map(
    [...latest].flatMap(([sink, { at, who, verb, reason }]) =>
      sink !== undefined && verb === 'pause' ? [[sink, { who, reason, since: at.toISOString() }]] : [],
    ),
  )
}

function sinkOf(details: string): string | undefined {
  const read = readJson(details)
  return typeof read === 'object' && read !== null && 'sink' in read && typeof read.sink === 'string' ? read.sink : undefined
}

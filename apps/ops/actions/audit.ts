// `audit`: what operators did, latest first: who, when, what, to how many things, and why.

import type { Database } from '#shared/journal/database.ts'
import { readJson } from '#shared/process/json.ts'

export type AuditEntry = { id: number; at: string; who: string; verb: string; count: number; reason: string; details: unknown }

const usual = 50

/** At most `limit` acts of that time, those before the act `before` only. */
export async function listAudit(
  database: Database,
  {
    since,
    until,
    before,
    limit = usual,
  }: { since?: Date | undefined; until?: Date | undefined; before?: number; limit?: number | undefined } = {},
): Promise<AuditEntry[]> {
  let query = database.selectFrom('acts').selectAll()
  if (since) query = query.where('at', '>=', since)
  if (until) query = query.where('at', '<', until)
  if (before !== undefined) query = query.where('id', '<', before)
  const rows = await query.orderBy('id', 'desc').limit(limit).execute()
  return rows.map(({ id, at, who, verb, reason, details, count }) => ({
    id,
    at: at.toISOString(),
    who,
    verb,
    count,
    reason,
    details: readJson(details) ?? details,
  }))
}

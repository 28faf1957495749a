// `audit`: what operators did, latest first: who, when, what, to how many things, and why.
import { z } from 'zod'
import type { Database } from '#shared/journal/database.ts'
import { readJson } from '#shared/process/json.ts'

/** `what` says in words to how many things it happened, and how it ended: `27 of 76, interrupted`. */
export type AuditEntry = {
  id: number
  at: string
  who: string
  verb: string
  count: number
  what: string
  reason: string
  details: unknown
}

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
  return rows.map(({ id, at, who, verb, reason, details: text, count }) => {
    const details = readJson(text) ?? text
    return { id, at: at.toISOString(), who, verb, count, what: inWords(count, details), reason, details }
  })
}

const detailsSchema = z
  .object({
    of: z.number(),
    underWay: z.boolean(),
    interrupted: z.boolean(),
    replay: z.number(),
    begunBy: z.string(),
    ended: z.enum(['interrupted', 'stopped', 'done']),
  })
  .partial()

const ends = { interrupted: ', interrupted', stopped: ', stopped by itself', done: '' }

function inWords(count: number, details: unknown): string {
  const { data = {} } = detailsSchema.safeParse(details)
  const { of, underWay = false, interrupted = false, replay, begunBy, ended } = data
  if (begunBy !== undefined && ended === undefined && count === 0) return `joined replay ${replay}, begun by ${begunBy}`
  const before = begunBy === undefined ? '' : `continued replay ${replay}, begun by ${begunBy}: `
  const isPart = of !== undefined && (of !== count || interrupted)
  const end = underWay ? ', under way or cut off' : ends[interrupted ? 'interrupted' : (ended ?? 'done')]
  return `${before}${count}${isPart ? ` of ${of}` : ''}${end}`
}

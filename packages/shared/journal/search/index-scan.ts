// Reads deliveries from one index, newest first: a branch for each prefix of the index, merged by time. Only so many
// entries are read as are asked for, however many the index has. The index is named: what the database would choose for
// itself depends on its statistics, and is now and then a scan of everything.
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'

/** What may match, and when it came. */
export type Candidate = { delivery: string; received_at: Date }

/** `since` and `until` (which is not included) as filters say; not after `from`; at most `count`. */
export type Bounds = { since: Date | undefined; until: Date | undefined; from: Date | undefined; count: number }

/** The entries of `index` that begin with `prefix`; `id` is the column that names the delivery. */
export type Branch = { table: string; index: string; id: string; prefix: Record<string, string | number> }

/** The newest candidates of all `branches` together. */
export async function scanNewest(database: Database, branches: Branch[], bounds: Bounds): Promise<Candidate[]> {
  if (branches.length === 0) return []
  const selects = branches.map((branch) => select(branch, bounds))
  const { rows } = await sql<Candidate>`${sql.join(selects, sql` union all `)}
    order by received_at desc, delivery desc limit ${sql.lit(bounds.count)}`.execute(database)
  return rows
}

function select({ table, index, id, prefix }: Branch, bounds: Bounds): RawBuilder<Candidate> {
  const equals = Object.entries(prefix).map(([column, value]) => sql`${sql.ref(column)} = ${value}`)
  return sql<Candidate>`(select ${sql.ref(id)} as delivery, received_at from ${sql.table(table)} force index (${sql.ref(index)})
    where ${sql.join([...equals, inTime(bounds)], sql` and `)}
    order by received_at desc limit ${sql.lit(bounds.count)})`
}

/** The condition on `received_at`. */
export function inTime({ since, until, from }: Omit<Bounds, 'count'>): RawBuilder<unknown> {
  const conditions = [sql`true`]
  if (since) conditions.push(sql`received_at >= ${since}`)
  if (until) conditions.push(sql`received_at < ${until}`)
  if (from) conditions.push(sql`received_at <= ${from}`)
  return sql.join(conditions, sql` and `)
}

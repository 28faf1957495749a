// What remotes did not let the sinks do within the last week, by project: each is an outcome with its reason, and no failure.
import type { Database } from '#shared/journal/database.ts'
import { beginningWith } from '#shared/journal/search/like.ts'
import { type Finding, warning } from '#sinks/finding.ts'
import { declarations, isOn } from '#sinks/registry.ts'
import type { Shortfall } from '#sinks/shortfall.ts'
import type { OpsContext } from '../../context.ts'

const weekMs = 7 * 86_400_000
const mostNamed = 10

/** Rejects with the driver's errors. */
export async function checkShortfalls({ config, database }: OpsContext): Promise<Finding[]> {
  const sinksOf = new Map<Shortfall, string[]>()
  for (const one of declarations)
    if (isOn(one, config.sinksEnabled))
      for (const shortfall of one.shortfalls) sinksOf.set(shortfall, [...(sinksOf.get(shortfall) ?? []), one.name])
  const findings = await Promise.all([...sinksOf].map(([shortfall, sinks]) => look(database, shortfall, sinks)))
  return findings.flat()
}

async function look(database: Database, { id, state, begins, remedy }: Shortfall, sinks: string[]): Promise<Finding[]> {
  const rows = await database
    .selectFrom('effects')
    .select(['project', ({ fn }) => fn.countAll<number>().as('count')])
    .where('sink', 'in', sinks)
    .where('state', '=', state)
    .where('kind', '=', 'merge_request')
    .where('received_at', '>=', new Date(Date.now() - weekMs))
    .where('reason', 'like', beginningWith(begins))
    .groupBy('project')
    .orderBy('count', 'desc')
    .execute()
  if (rows.length === 0) return []
  const sum = rows.reduce((total, { count }) => total + Number(count), 0)
  const named = rows.slice(0, mostNamed).map(({ project, count }) => `${project ?? 'no project'} (${count})`)
  const more = rows.length > mostNamed ? ` and ${rows.length - mostNamed} more projects` : ''
  return [warning(id, `${begins}: ${sum} times in the last week, for ${named.join(', ')}${more}`, remedy)]
}

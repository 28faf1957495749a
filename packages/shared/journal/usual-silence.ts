// How long it is usually quiet: the longest time between two deliveries around this hour of the week, in each of the last
// four weeks. Only what GitLab sent by itself counts.
import { sql } from 'kysely'
import type { Database } from './database.ts'

const hourMs = 3_600_000
const weekMs = 7 * 24 * hourMs
const weeks = [1, 2, 3, 4]
const aroundMs = 1.5 * hourMs

/** With less than two weeks of history nobody knows what is usual. */
export const plainLimitMs = 6 * hourMs
const leastMs = 10 * 60_000

/** Deliveries that GitLab sent by itself, to select from. */
export function sentByGitLab(database: Database) {
  return database.selectFrom('deliveries').where('origin', 'in', ['hook', 'imported']).where('kind', '<>', 'canary')
}

/**
 * For how many ms it may be quiet at the time `now` (ms since 1970) before that is unusual: twice the longest silence of
 * these hours, the week with the longest one left out, since something may have been broken then.
 */
export async function usualSilence(database: Database, now: number): Promise<number> {
  const known: number[] = []
  for (const ago of weeks) {
    const longest = await longestSilence(database, now - ago * weekMs - aroundMs, now - ago * weekMs + aroundMs)
    if (longest !== undefined) known.push(longest)
  }
  const [, second] = known.sort((a, b) => b - a)
  return second === undefined ? plainLimitMs : Math.max(leastMs, 2 * second)
}

// Between two deliveries at least one of which came in this time, or around all of it; undefined when the journal does not
// reach back so far.
async function longestSilence(database: Database, from: number, to: number): Promise<number | undefined> {
  const [start, end] = [new Date(from), new Date(to)]
  const before = await sentByGitLab(database)
    .select('received_at')
    .where('received_at', '<', start)
    .orderBy('received_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!before) return undefined
  const after = await sentByGitLab(database)
    .select('received_at')
    .where('received_at', '>=', end)
    .orderBy('received_at')
    .limit(1)
    .executeTakeFirst()
  const within = await database
    .selectFrom(
      sentByGitLab(database)
        .select(['received_at', sql<Date | null>`lag(received_at) over (order by received_at)`.as('previous')])
        .where('received_at', '>=', start)
        .where('received_at', '<', end)
        .as('one'),
    )
    .select(({ fn }) => [
      fn.min('received_at').as('first'),
      fn.max('received_at').as('last'),
      sql<number | null>`max(timestampdiff(microsecond, previous, received_at)) / 1000`.as('longest'),
    ])
    .executeTakeFirstOrThrow()
  const next = after?.received_at.getTime() ?? to
  const { first, last, longest } = within
  if (!first || !last) return next - before.received_at.getTime()
  return Math.max(first.getTime() - before.received_at.getTime(), Number(longest ?? 0), next - last.getTime())
}

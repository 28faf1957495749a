// The last 24 hours by the hour: how many deliveries came, and how the effects that ended then have ended.
import { sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'

export type Hour = { from: Date; deliveries: number; done: number; nothing: number; dead: number }

const hourMs = 3_600_000
const hours = 24
const outcomes = ['done', 'nothing', 'dead'] as const

/** The last 24 hours, oldest first, the one that is not over yet included. */
export async function lastDay(database: Database): Promise<Hour[]> {
  const first = Math.floor(Date.now() / hourMs) * hourMs - (hours - 1) * hourMs
  const since = new Date(first)
  const [came, ended] = await Promise.all([
    database
      .selectFrom('deliveries')
      .where('received_at', '>=', since)
      .select(({ fn }) => [hourOf('received_at').as('hour'), fn.countAll<number>().as('count')])
      .groupBy('hour')
      .execute(),
    database
      .selectFrom('effects')
      .where('state', 'in', outcomes)
      .where('ended_at', '>=', since)
      .select(({ fn }) => [hourOf('ended_at').as('hour'), 'state', fn.countAll<number>().as('count')])
      .groupBy(['hour', 'state'])
      .execute(),
  ])
  const day = Array.from({ length: hours }, (_, at) => ({
    from: new Date(first + at * hourMs),
    deliveries: 0,
    done: 0,
    nothing: 0,
    dead: 0,
  }))
  const at = (number: number) => day[Number(number) - first / hourMs]
  for (const row of came) Object.assign(at(row.hour) ?? {}, { deliveries: Number(row.count) })
  for (const row of ended) Object.assign(at(row.hour) ?? {}, { [row.state]: Number(row.count) })
  return day
}

// Hours since 1970; the columns are in UTC, whatever zone the session has.
function hourOf(column: 'received_at' | 'ended_at') {
  return sql<number>`timestampdiff(hour, '1970-01-01', ${sql.ref(column)})`
}

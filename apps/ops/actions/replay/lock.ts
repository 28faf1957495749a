// Something that only one operator at a time may do, on whatever machine: under a lock that the database keeps for a
// connection, and lets go by itself when whoever had it is gone.
import { sql } from 'kysely'
import type { Database } from '#shared/journal/database.ts'

// Servers close idle connections after some ten minutes, and the lock would be lost with the connection.
const stayMs = 30_000

/**
 * Runs `work` under the lock `name`, after waiting for it at most `seconds`; undefined when somebody else kept it. The signal
 * that `work` gets aborts when the lock is lost.
 */
export async function underLock<T>(
  database: Database,
  name: string,
  seconds: number,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<{ value: T } | undefined> {
  // MySQL has no md5() of itself since 9.6; a lock's name may have the 64 characters of this, and not one more.
  const lock = sql`sha2(concat(database(), ${` ${name}`}), 256)`
  return await database.connection().execute(async (connection) => {
    const { rows } = await sql<{ got: number | null }>`select get_lock(${lock}, ${seconds}) as got`.execute(connection)
    if (Number(rows[0]?.got) !== 1) return undefined
    const lost = new AbortController()
    const stay = setInterval(() => void sql`select 1`.execute(connection).catch(() => lost.abort()), stayMs)
    try {
      return { value: await work(lost.signal) }
    } finally {
      clearInterval(stay)
      await sql`do release_lock(${lock})`.execute(connection).catch(() => undefined)
    }
  })
}

// Small facts that outlive Redis: whether the database takes writes, and that it has met this Redis.
import { inWords } from '#shared/process/errors.ts'
import type { Probe } from '#shared/process/health.ts'
import { type Database, meaningOf } from './database.ts'

/** Writes that `name` was now. Rejects with the driver's errors. */
export async function writeMark(database: Database, name: string): Promise<void> {
  const at = new Date()
  await database.insertInto('marks').values({ name, at }).onDuplicateKeyUpdate({ at }).execute()
}

/** When `name` was written last; undefined when it never was. Rejects with the driver's errors. */
export async function readMark(database: Database, name: string): Promise<Date | undefined> {
  return (await database.selectFrom('marks').select('at').where('name', '=', name).executeTakeFirst())?.at
}

/** Whether the database takes what the service would write, for `/readyz`. */
export function databaseProbe(database: Database): Probe {
  return async () => {
    try {
      await writeMark(database, 'health')
      return { state: 'up' }
    } catch (error) {
      return { state: 'down', reason: inWords(meaningOf(error)) }
    }
  }
}

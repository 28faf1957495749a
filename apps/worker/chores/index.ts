// The chores: what has to be done now and then, by one worker for all of them. `pattern` is when, as cron has it, in UTC.
import { type Database, meaningOf, migrate } from '#shared/journal/database.ts'
import { pruneJournal } from '#shared/journal/prune.ts'
import { lookAtToken, type TokenLook } from '#sinks/gitlab/token/look.ts'

/** `run` answers what there is to tell about it, and ends early when `signal` aborts: then it is done again. */
export type Chore = { name: string; pattern: string; run: (signal: AbortSignal) => Promise<object> }

/** Without a `token` there is nothing to look at. */
type Parts = { database: Database; keepDays: number; token: TokenLook | undefined }

export function chores({ database, keepDays, token }: Parts): Chore[] {
  return [
    { name: 'prune', pattern: '17 3 * * *', run: (signal) => ofDatabase(pruneTables(database, keepDays, signal)) },
    { name: 'token', pattern: '41 6 * * *', run: async (signal) => (token ? await lookAtToken(token, signal) : {}) },
  ]
}

// On a new database nothing may have made the tables yet.
async function pruneTables(database: Database, keepDays: number, signal: AbortSignal): Promise<object> {
  await migrate(database)
  return await pruneJournal(database, { keepDays, dryRun: false, signal })
}

function ofDatabase<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw meaningOf(error)
  })
}

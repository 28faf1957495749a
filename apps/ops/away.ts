// What it means when Redis cannot be asked, in words, whatever its driver says about itself.
import { DatabaseAway, meaningOf } from '#shared/journal/database.ts'
import { Unavailable } from '#shared/process/errors.ts'
import { hostsOf } from '#shared/process/redis-address.ts'

/** Whether `error` says that Redis is not there: not connected, gone for too long, or silent. */
export function redisIsAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const said = [
    error.message.includes('enableOfflineQueue'),
    error.message === 'Command timed out',
    error.message === 'Connection is closed.',
  ]
  return said.includes(true) || error.name === 'MaxRetriesPerRequestError' || error.name === 'ClusterAllFailedError'
}

/** What a database that is away means for everybody, in a sentence; undefined when `error` does not say that it is. */
export function databaseIsAway(error: unknown): string | undefined {
  // A file that cannot be read has an errno, too.
  const isOfDriver = error instanceof Error && ('sqlMessage' in error || 'fatal' in error)
  const meaning = isOfDriver ? meaningOf(error) : error
  return meaning instanceof DatabaseAway ? `The database ${meaning.what}: effects go on, what waits for it is kept.` : undefined
}

/** `error`, or when Redis or the database of `config` is away the `Unavailable` that says so. */
export function meaningOfAway(error: unknown, { redisUrl, databaseUrl }: { redisUrl: string; databaseUrl: string }): unknown {
  if (redisIsAway(error)) return new Unavailable(`Redis does not answer at ${hostsOf(redisUrl)}.`)
  const said = databaseIsAway(error)
  return said === undefined ? error : new Unavailable(`${said} It is the one at ${new URL(databaseUrl).host}; bin/ops doctor says more.`)
}

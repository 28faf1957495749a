// What it means when Redis cannot be asked, in words, whatever its driver says about itself.
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

/** `error`, or if Redis at `url` is away the `Unavailable` that says so. */
export function meaningOfRedis(error: unknown, url: string): unknown {
  return redisIsAway(error) ? new Unavailable(`Redis does not answer at ${hostsOf(url)}.`) : error
}

// What the pages work with: the same places as the command line has, with connections that answer or fail at once, so
// that a page never waits for a Redis that is away.
import type { Database } from '#shared/journal/database.ts'
import type { OpsContext } from '../context.ts'
import type { Runner } from './replays/runner.ts'

export type PageContext = {
  database: Database
  /** The context in which `who` acts. */
  contextFor: (who: string) => OpsContext
  /** Runs replays in the background. */
  runner: Runner
}

// Of which time the journal can tell what was missed.
import type { OpsContext } from '../../context.ts'
import { knownSince } from './known.ts'

/** An event that comes by itself later than this is looked for before anything is made of it; a younger one is left to come. */
export const stillComingMs = 10 * 60_000

/** Why the journal cannot tell what was missed since then; undefined when it can. */
export async function whyNotKnown({ database, config }: OpsContext, since: Date): Promise<string | undefined> {
  const begin = await knownSince(database, config.journalKeepDays)
  if (!begin) return 'the journal is empty, so it cannot tell what was missed'
  if (since >= begin) return undefined
  return `the journal begins at ${begin.toISOString()}, and before that it cannot tell what was missed`
}

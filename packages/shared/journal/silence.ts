// How long GitLab has sent nothing, and whether that is unusual. It never says that its hook was removed, or that it cannot
// reach us.
import type { Database } from './database.ts'
import { sentByGitLab, usualSilence } from './usual-silence.ts'

/** `last` is ISO 8601. `ratio` is how much of the usual silence of this hour has passed: above 1 something may be wrong. */
export type Silence = { last: string; seconds: number; usualSeconds: number; ratio: number }

/**
 * The silence at the time `now` (ms since 1970); undefined when GitLab never sent anything. `usual` is in ms; the journal is
 * asked for it when it is not given. Rejects as the database does.
 */
export async function readSilence(database: Database, now = Date.now(), usual?: number): Promise<Silence | undefined> {
  const last = await sentByGitLab(database).select('received_at').orderBy('received_at', 'desc').limit(1).executeTakeFirst()
  if (!last) return undefined
  const allowed = usual ?? (await usualSilence(database, now))
  const ms = Math.max(0, now - last.received_at.getTime())
  return { last: last.received_at.toISOString(), seconds: ms / 1000, usualSeconds: allowed / 1000, ratio: ms / allowed }
}

/** The command that looks for what was missed meanwhile. */
export function offer({ last }: Silence): string {
  return `bin/ops reconcile --since ${last} --reason 'GitLab was silent'`
}

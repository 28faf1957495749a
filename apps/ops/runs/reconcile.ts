// What `reconcile` does.
import type { Command } from 'commander'
import { knownSince } from '../actions/reconcile/known.ts'
import { reconcile } from '../actions/reconcile/reconcile.ts'
import { act, filtersOf } from '../command.ts'
import type { OpsContext } from '../context.ts'
import { table } from '../print.ts'
import { BadUsage, reasonOf, type Typed } from '../usage.ts'
import { joined, warn, words } from '../words.ts'

// An event that comes by itself later than this is looked for before anything is made of it; a younger one is left to come.
const stillComingMs = 10 * 60_000

export function compare(options: Typed, command: Command): Promise<void> {
  const { since, until = new Date(Date.now() - stillComingMs) } = filtersOf({ since: options.since, until: options.until })
  if (!since) throw new BadUsage('--since: say from when on, such as 2h or 2026-11-23T10:00Z')
  if (since >= until) throw new BadUsage('--since: expected a time before --until, which is ten minutes ago unless given')
  const [dryRun, reason] = [options.dryRun === true, reasonOf(options)]
  return act(command, async (context) => {
    await journalKnows(context, since)
    const leaving = new AbortController()
    process.once('SIGINT', () => leaving.abort(new Error('Interrupted: nothing was handed in.')))
    const onProgress = (looked: number) => void (looked % 100 === 0 && warn(words`checked ${looked} merge requests`))
    const data = await reconcile(context, { since, until, dryRun, reason, signal: leaving.signal, onProgress, onWait })
    if (data.interrupted) warn(words`interrupted after ${data.handedIn} of them; the same command does the rest`)
    for (const { mr, reason } of data.unreadable) warn(words`${mr}: ${reason}`)
    const { looked, missed, handedIn } = data
    const counts = `${looked} merge requests checked, ${missed.length} events missed, ${handedIn} handed in`
    return {
      data,
      words: joined([table(missed, 'Nothing was missed.'), counts], '\n\n'),
      failed: data.unreadable.length > 0 || data.interrupted,
    }
  })
}

const onWait = (waiting: number) => warn(words`${waiting} deliveries wait to be routed: the rest follows as they become fewer`)

async function journalKnows({ database, config }: OpsContext, since: Date): Promise<void> {
  const begin = await knownSince(database, config.journalKeepDays)
  if (!begin) throw new BadUsage('--since: the journal is empty, so it cannot tell what was missed')
  if (since >= begin) return
  throw new BadUsage(`--since: the journal begins at ${begin.toISOString()}, and before that it cannot tell what was missed`)
}

// What `reconcile` does.
import type { Command } from 'commander'
import { reconcile } from '../actions/reconcile/reconcile.ts'
import { stillComingMs, whyNotKnown } from '../actions/reconcile/window.ts'
import { act, filtersOf } from '../command.ts'
import type { OpsContext } from '../context.ts'
import { table } from '../print.ts'
import { BadUsage, reasonOf, type Typed } from '../usage.ts'
import { joined, type Words, warn, words } from '../words.ts'

export function compare(options: Typed, command: Command): Promise<void> {
  const readyUntil = new Date(Date.now() - stillComingMs)
  const { since, until = readyUntil } = filtersOf({ since: options.since, until: options.until })
  if (!since) throw new BadUsage('--since: say from when on, such as 2h or 2026-11-23T10:00Z')
  if (since >= until && options.until !== undefined) throw new BadUsage('--since: expected a time before --until')
  const [dryRun, reason] = [options.dryRun === true, reasonOf(options)]
  return act(command, async (context) => {
    if (since >= until) return { data: null, words: joined(['Nothing was looked at.', notYet(since)], ' '), failed: true }
    await journalKnows(context, since)
    const leaving = new AbortController()
    process.once('SIGINT', () => leaving.abort(new Error('Interrupted: nothing was handed in.')))
    const onProgress = (looked: number) => void (looked % 100 === 0 && warn(words`checked ${looked} merge requests`))
    const found = await reconcile(context, { since, until, dryRun, reason, signal: leaving.signal, onProgress, onWait })
    if (found.interrupted) warn(words`interrupted after ${found.handedIn} of them; the same command does the rest`)
    for (const { mr, reason } of found.unreadable) warn(words`${mr}: ${reason}`)
    const { looked, missed, handedIn } = found
    const window = { since: since.toISOString(), until: until.toISOString() }
    const between = `from ${window.since} until ${window.until}`
    const counts = `${looked} merge requests checked, ${missed.length} events missed ${between}, ${handedIn} handed in`
    return {
      data: { ...found, window },
      words: joined([table(missed, `Nothing was missed ${between}.`), counts, options.until === undefined && notYet(until)], '\n\n'),
      failed: found.unreadable.length > 0 || found.interrupted,
    }
  })
}

function notYet(from: Date): Words {
  const since = from.toISOString()
  const later = new Date(Date.now() + stillComingMs).toISOString()
  const told = words`What happened since ${since} was not looked at: its hooks may still come by themselves.`
  return joined([told, `After ${later} type: bin/ops reconcile --since ${since} --reason …`], ' ')
}

const onWait = (waiting: number) => warn(words`${waiting} deliveries wait to be routed: the rest follows as they become fewer`)

async function journalKnows(context: OpsContext, since: Date): Promise<void> {
  const reason = await whyNotKnown(context, since)
  if (reason !== undefined) throw new BadUsage(`--since: ${reason}`)
}

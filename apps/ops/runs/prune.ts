// What `prune` does.
import type { Command } from 'commander'
import type { Pruned } from '#shared/journal/prune.ts'
import { prune } from '../actions/prune.ts'
import { act, untilInterrupted } from '../command.ts'
import { table } from '../print.ts'
import type { Typed } from '../usage.ts'
import { lines, type Words } from '../words.ts'

export function pruneNow({ dryRun }: Typed, reason: string, command: Command): Promise<void> {
  return act(command, async (context) => {
    const keepDays = context.config.journalKeepDays
    const data = await prune(context, reason, { keepDays, dryRun: dryRun === true, signal: untilInterrupted() })
    return { data, words: inWords(data), failed: data.interrupted }
  })
}

function inWords({ before, dryRun, interrupted, kept, removed }: Pruned): Words {
  const rows = Object.entries(removed).map(([name, count]) => ({ table: name, [dryRun ? 'would be removed' : 'removed']: count }))
  const stay = kept > 0 ? [`${kept} deliveries stay for their dead letters`] : []
  const end = interrupted ? ['interrupted: run it again to go on'] : []
  return lines([table(rows, 'Nothing is that old.'), `from before ${before}`, ...stay, ...end])
}

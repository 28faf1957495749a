// `prune`.
import type { Command } from 'commander'
import type { Pruned } from '#shared/journal/prune.ts'
import { prune } from '../actions/prune.ts'
import { act, reasonOf, untilInterrupted, withReason } from '../command.ts'
import { table } from '../print.ts'
import { lines, type Words } from '../words.ts'

export function pruneCommands(ops: Command): void {
  withReason(ops.command('prune'))
    .description('remove from the journal what is older than JOURNAL_KEEP_DAYS, but for dead letters; the worker does so every night')
    .option('--dry-run', 'only count what would be removed')
    .action((options: { reason?: string; dryRun?: boolean }, command: Command) => {
      const reason = reasonOf(options)
      return act(command, async (context) => {
        const keepDays = context.config.journalKeepDays
        const data = await prune(context, reason, { keepDays, dryRun: options.dryRun === true, signal: untilInterrupted() })
        return { data, words: inWords(data), failed: data.interrupted }
      })
    })
}

function inWords({ before, dryRun, interrupted, kept, removed }: Pruned): Words {
  const rows = Object.entries(removed).map(([name, count]) => ({ table: name, [dryRun ? 'would be removed' : 'removed']: count }))
  const stay = kept > 0 ? [`${kept} deliveries stay for their dead letters`] : []
  const end = interrupted ? ['interrupted: run it again to go on'] : []
  return lines([table(rows, 'Nothing is that old.'), `from before ${before}`, ...stay, ...end])
}

// `prune`.
import type { Command } from 'commander'
import { reasonOf, type Typed, withReason } from '../usage.ts'

export function pruneCommands(ops: Command): void {
  withReason(ops.command('prune'))
    .description('remove from the journal what is older than JOURNAL_KEEP_DAYS, but for dead letters; the worker does so every night')
    .option('--dry-run', 'only count what would be removed')
    .action(async (options: Typed, command: Command) => {
      const reason = reasonOf(options)
      return (await import('../runs/prune.ts')).pruneNow(options, reason, command)
    })
}

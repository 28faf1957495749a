// `reconcile`: finds hooks that never came.
import type { Command } from 'commander'
import { type Typed, withReason } from '../usage.ts'

const help = `
It compares GitLab with the journal, so --since cannot be before the oldest delivery in the journal: what happened before the
service was there, or is older than JOURNAL_KEEP_DAYS, is not handed in. An empty journal cannot be compared with anything:
when it was lost, import the event log first.`

export function reconcileCommands(ops: Command): void {
  withReason(ops.command('reconcile'))
    .description('ask GitLab which merge requests were opened, closed, reopened, merged or pushed to, and hand in what was missed')
    .option('--since <time>', 'what happened then or later: ISO 8601, or 90s, 10m, 2h, 3d, 1w ago')
    .option('--until <time>', 'what happened before (default: 10m; younger hooks may still be on their way)')
    .option('--dry-run', 'only say what was missed')
    .addHelpText('after', help)
    .action(async (options: Typed, command: Command) => (await import('../runs/reconcile.ts')).compare(options, command))
}

// The commands that put dead letters back or let them go.
import type { Command } from 'commander'
import { type Typed, withFilters, withReason } from '../usage.ts'

const runs = () => import('../runs/repair.ts')

export function repairCommands(ops: Command): void {
  withReason(withFilters(ops.command('replay [id...]')))
    .description('put dead letters back with a fresh budget; when it was interrupted, the same command continues it')
    .option('--group <error>', 'all of an error group, as `dead groups` shows it; the same as --error')
    .option('--dry-run', 'change nothing, only say what each would do now')
    .option('--rate <count>', 'at most this many a second', '10')
    .addHelpText(
      'after',
      `
Which dead letters it takes is settled when it begins. It stops by itself when more than half of the last 20 fail again.

  bin/ops replay --group 0123456789ab --dry-run
  bin/ops replay --group 0123456789ab --rate 5 --reason 'the task is open again'
  bin/ops replay --sink phabricator --since 2h --reason 'Phabricator is up again'`,
    )
    .action(async (ids: string[], options: Typed, command: Command) => (await runs()).replayLetters(ids, options, command))

  withReason(withFilters(ops.command('discard [id...]')))
    .description('give dead letters up for good; the journal keeps them, and whatever comes again brings them no more')
    .option('--group <error>', 'all of an error group, as `dead groups` shows it; the same as --error')
    .option('--dry-run', 'change nothing, only list them')
    .action(async (ids: string[], options: Typed, command: Command) => (await runs()).discardLetters(ids, options, command))
}

// The commands that hand in whole deliveries: from the journal, from an event log.
import type { Command } from 'commander'
import { reasonOf, type Typed, withFilters, withReason } from '../usage.ts'

const runs = () => import('../runs/hand-in.ts')

const through = `
In the end it waits until all is through: routed, and its effects ended. When nothing moves for five seconds it says how much
is left. What was discarded stays so.`

export function handInCommands(ops: Command): void {
  withReason(withFilters(ops.command('redeliver [delivery...]')))
    .description('send whole deliveries through again from the journal; what is there already is not made twice')
    .option('--dry-run', 'change nothing, only list what would be sent')
    .option('--rate <count>', 'at most this many a second')
    .addHelpText('after', through)
    .action(async (ids: string[], options: Typed, command: Command) => (await runs()).again(ids, options, command))

  withReason(ops.command('import <file>'))
    .description('accept the deliveries of a LOG_EVENTS_TO file; repeats are no-ops')
    .option('--dry-run', 'change nothing, only say how many deliveries there are, and which lines are none')
    .option('--rate <count>', 'at most this many a second')
    .addHelpText('after', through)
    .action(async (file: string, options: Typed, command: Command) => {
      const reason = reasonOf(options)
      return (await runs()).fromFile(file, reason, options, command)
    })
}

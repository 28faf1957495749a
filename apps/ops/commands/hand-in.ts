// The commands that hand in whole deliveries: from the journal, from an event log.
import type { Command } from 'commander'
import { reasonOf, type Typed, withFilters, withReason } from '../usage.ts'

const runs = () => import('../runs/hand-in.ts')

export function handInCommands(ops: Command): void {
  withReason(withFilters(ops.command('redeliver [delivery...]')))
    .description('send whole deliveries through again from the journal; what is there already is not made twice')
    .action(async (ids: string[], options: Typed, command: Command) => (await runs()).again(ids, options, command))

  withReason(ops.command('import <file>'))
    .description('accept the deliveries of a LOG_EVENTS_TO file; repeats are no-ops')
    .action(async (file: string, options: Typed, command: Command) => {
      const reason = reasonOf(options)
      return (await runs()).fromFile(file, reason, command)
    })
}

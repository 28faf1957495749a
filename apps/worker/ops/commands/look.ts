// The commands that only look: how everything stands, which deliveries came, what became of one.
import type { Command } from 'commander'
import { listDeliveries } from '../actions/deliveries.ts'
import { explain } from '../actions/explain.ts'
import { status } from '../actions/status.ts'
import { act, filtersOf } from '../command.ts'
import { withFilters } from '../filters.ts'
import { sayDeliveries, sayStatus, sayStory } from '../say.ts'

export function lookCommands(ops: Command): void {
  ops
    .command('status')
    .description('how everything stands')
    .action((_: unknown, command: Command) => act(command, async (place) => sayStatus(await status(place))))

  withFilters(ops.command('deliveries'))
    .description('the deliveries of the journal, newest first')
    .action((options: unknown, command: Command) => {
      const filters = filtersOf(options)
      return act(command, async ({ database }) => sayDeliveries(await listDeliveries(database, filters)))
    })

  ops
    .command('explain <delivery>')
    .description('everything known about one delivery, also why nothing came of it')
    .action((id: string, _: unknown, command: Command) => act(command, async ({ database }) => sayStory(id, await explain(database, id))))
}

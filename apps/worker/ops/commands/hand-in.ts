// The commands that hand in whole deliveries: from the journal, from an event log.
import type { Command } from 'commander'
import { matchingIds } from '../actions/deliveries.ts'
import { importFile } from '../actions/import.ts'
import { redeliver } from '../actions/redeliver.ts'
import { act, filtersOf, mustChoose, reasonOf, withReason } from '../command.ts'
import { withFilters } from '../filters.ts'

export function handInCommands(ops: Command): void {
  withReason(withFilters(ops.command('redeliver [delivery...]')))
    .description('send whole deliveries through again from the journal; what is there already is not made twice')
    .action((ids: string[], options: unknown, command: Command) => {
      const filters = filtersOf(options)
      mustChoose(ids, filters)
      return act(command, async (place) => {
        const data = await redeliver(place, ids.length > 0 ? ids : await matchingIds(place.database, filters), reasonOf(options))
        for (const id of data.missing) console.error(`${id}: no such delivery in the journal`)
        return { data, words: `${data.redelivered} deliveries sent through again`, failed: data.missing.length > 0 }
      })
    })

  withReason(ops.command('import <file>'))
    .description('accept the deliveries of a LOG_EVENTS_TO file; repeats are no-ops')
    .action((file: string, options: unknown, command: Command) =>
      act(command, async (place) => {
        const data = await importFile(place, file, reasonOf(options))
        for (const { line, reason } of data.bad) console.error(`${file}:${line}: ${reason}`)
        return { data, words: `${data.imported} deliveries handed in, ${data.bad.length} lines left out`, failed: data.bad.length > 0 }
      }),
    )
}

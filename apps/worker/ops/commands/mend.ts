// The commands that put dead letters back or let them go.
import type { Command } from 'commander'
import { deadIds } from '../actions/dead.ts'
import { discard } from '../actions/discard.ts'
import { planReplay, replay } from '../actions/replay.ts'
import { act, filtersOf, mustChoose, rateOf, reasonOf, withReason } from '../command.ts'
import { withFilters } from '../filters.ts'
import { table } from '../print.ts'
import { progress } from '../progress.ts'

export function mendCommands(ops: Command): void {
  withReason(withFilters(ops.command('replay [id...]')))
    .description('put dead letters back with a fresh budget; run it again to go on')
    .option('--group <error>', 'all of an error group')
    .option('--dry-run', 'only say what would run')
    .option('--rate <count>', 'at most so many a second', '10')
    .action((ids: string[], options: Record<string, unknown>, command: Command) => {
      const filters = filtersOf({ ...options, error: options.group ?? options.error })
      const rate = rateOf(options.rate)
      mustChoose(ids, filters)
      return act(command, async (place) => {
        const chosen = ids.length > 0 ? ids : await deadIds(place.database, filters)
        if (options.dryRun === true) {
          const data = await planReplay(place, chosen)
          return { data, words: table(data, 'No dead letter matches.') }
        }
        const interrupted = new AbortController()
        process.once('SIGINT', () => interrupted.abort())
        const data = await replay(place, chosen, {
          reason: reasonOf(options),
          rate,
          signal: interrupted.signal,
          onProgress: progress('replayed'),
        })
        const words = `${data.replayed} of ${data.chosen} put back, ${data.failedAgain} failed again${data.stopped ? `; stopped: ${data.stopped}` : ''}`
        return { data, words, failed: data.stopped !== undefined || data.failedAgain > 0 }
      })
    })

  withReason(withFilters(ops.command('discard [id...]')))
    .description('let dead letters go; the journal keeps them')
    .action((ids: string[], options: unknown, command: Command) => {
      const filters = filtersOf(options)
      mustChoose(ids, filters)
      return act(command, async (place) => {
        const data = await discard(place, ids.length > 0 ? ids : await deadIds(place.database, filters), reasonOf(options))
        return { data, words: `${data.discarded} dead letters discarded`, failed: data.discarded < ids.length }
      })
    })
}

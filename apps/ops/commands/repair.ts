// The commands that put dead letters back or let them go.
import type { Command } from 'commander'
import { discard } from '../actions/discard.ts'
import { beginReplay } from '../actions/replay/begin.ts'
import type { Progress } from '../actions/replay/list.ts'
import { planReplay } from '../actions/replay/plan.ts'
import { runReplay } from '../actions/replay/run.ts'
import { notDead, type Selection } from '../actions/selection.ts'
import { act, BadUsage, groupOf, rateOf, reasonOf, type Said, selectionOf, untilInterrupted, withReason } from '../command.ts'
import type { OpsContext } from '../context.ts'
import { withFilters } from '../filters.ts'
import { table } from '../print.ts'
import { progress } from '../progress.ts'
import { sayReplay } from '../say.ts'
import { warn, words } from '../words.ts'

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
    .action((ids: string[], { group, ...options }: Record<string, unknown>, command: Command) => {
      if (group !== undefined && options.error !== undefined) throw new BadUsage('Give --group or --error, but not both.')
      const selection = selectionOf(ids, { ...options, error: groupOf({ group }) ?? options.error })
      const [rate, reason] = [rateOf(options.rate), reasonOf(options)]
      return act(command, (context) =>
        options.dryRun === true ? dryRun(context, selection, rate) : replay(context, selection, reason, rate),
      )
    })

  withReason(withFilters(ops.command('discard [id...]')))
    .description('give dead letters up for good; the journal keeps them')
    .action((ids: string[], options: Record<string, unknown>, command: Command) => {
      const selection = selectionOf(ids, options)
      const reason = reasonOf(options)
      return act(command, async (context) => {
        const strange = await warnOfStrange(context, selection)
        const data = await discard(context, selection, { reason, signal: untilInterrupted() })
        const { discarded, interrupted } = data
        if (interrupted) warn(words`interrupted after ${discarded} dead letters; the same command goes on`)
        const isShort = 'ids' in selection && discarded + strange < selection.ids.length
        return { data, words: words`${discarded} dead letters discarded`, failed: strange > 0 || interrupted || isShort }
      })
    })
}

async function dryRun(context: OpsContext, selection: Selection, rate: number): Promise<Said> {
  const strange = await warnOfStrange(context, selection)
  const show = progress('checked')
  const { plans, chosen, interrupted } = await planReplay(context, selection, { rate, signal: untilInterrupted(), onProgress: show.at })
  show.end()
  if (interrupted) warn(words`interrupted: ${plans.length} of at least ${chosen} checked`)
  return { data: plans, words: table(plans, 'No dead letter matches.'), failed: strange > 0 || interrupted }
}

async function replay(context: OpsContext, selection: Selection, reason: string, rate: number): Promise<Said> {
  const signal = untilInterrupted()
  const begun = await beginReplay(context, selection, { reason, rate })
  // What a replay that goes on has put back already is no dead letter any more.
  const strange = begun.continued ? 0 : await warnOfStrange(context, selection)
  if (begun.continued) warn(words`continuing replay ${begun.id}: ${begun.left} of ${begun.chosen} are left`)
  const show = progress('replayed')
  const onProgress = ({ replayed, left, lost, chosen, failedAgain }: Progress) =>
    show.at(replayed + left + lost, chosen, failedAgain > 0 ? `${failedAgain} failed again` : '')
  const ended = await runReplay(context, begun.id, { signal, onProgress })
  show.end()
  const said = sayReplay(ended, begun.continued)
  return { ...said, failed: said.failed === true || strange > 0 }
}

// Ids that are no dead letters do not keep the others from being dealt with.
async function warnOfStrange({ database }: OpsContext, selection: Selection): Promise<number> {
  const strange = await notDead(database, selection)
  for (const id of strange) warn(words`${id}: no such dead letter`)
  return strange.length
}

// What `replay` and `discard` do.
import type { Command } from 'commander'
import { discard, discardable } from '../actions/discard.ts'
import { beginReplay } from '../actions/replay/begin.ts'
import type { Progress } from '../actions/replay/list.ts'
import { planReplay } from '../actions/replay/plan.ts'
import { runReplay } from '../actions/replay/run.ts'
import { notDead, type Selection } from '../actions/selection.ts'
import { act, groupOf, rateOf, type Said, selectionOf, untilInterrupted } from '../command.ts'
import type { OpsContext } from '../context.ts'
import { table } from '../print.ts'
import { progress } from '../progress.ts'
import { sayReplay } from '../say.ts'
import { BadUsage, reasonOf, type Typed } from '../usage.ts'
import { joined, warn, words } from '../words.ts'

export function replayLetters(ids: string[], options: Typed, command: Command): Promise<void> {
  const selection = chosenBy(ids, options)
  const [rate, reason] = [rateOf(options.rate), reasonOf(options)]
  return act(command, (context) => (options.dryRun === true ? dryRun(context, selection, rate) : replay(context, selection, reason, rate)))
}

export function discardLetters(ids: string[], options: Typed, command: Command): Promise<void> {
  const selection = chosenBy(ids, options)
  const reason = reasonOf(options)
  return act(command, async (context) => {
    const strange = await warnOfStrange(context, selection)
    if (options.dryRun === true) {
      const data = await discardable(context, selection)
      const summary = joined([table(data, 'No dead letter matches.'), `${data.length} dead letters would be discarded`], '\n\n')
      return { data, words: summary, failed: strange > 0 }
    }
    const data = await discard(context, selection, { reason, signal: untilInterrupted() })
    const { discarded, interrupted } = data
    if (interrupted) warn(words`interrupted after ${discarded} dead letters; the same command goes on`)
    const isShort = 'ids' in selection && discarded + strange < selection.ids.length
    return { data, words: words`${discarded} dead letters discarded`, failed: strange > 0 || interrupted || isShort }
  })
}

function chosenBy(ids: string[], { group, ...options }: Typed): Selection {
  if (group !== undefined && options.error !== undefined) throw new BadUsage('Give --group or --error, but not both.')
  return selectionOf(ids, { ...options, error: groupOf({ group }) ?? options.error })
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

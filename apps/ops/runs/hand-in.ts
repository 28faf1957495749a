// What `redeliver` and `import` do.
import type { Command } from 'commander'
import { awaitDrained } from '../actions/drained.ts'
import { countLines, importFile, wouldImport } from '../actions/import.ts'
import { type ChosenDeliveries, countDeliveries, redeliver, redeliverable } from '../actions/redeliver.ts'
import { act, filtersOf, mustChoose, rateOf, untilInterrupted } from '../command.ts'
import type { OpsContext } from '../context.ts'
import { table } from '../print.ts'
import { progress } from '../progress.ts'
import { reasonOf, type Typed } from '../usage.ts'
import { joined, type Words, warn, words } from '../words.ts'

const onWait = (waiting: number) => warn(words`${waiting} deliveries wait to be routed: the rest follows as they become fewer`)
const rateIn = ({ rate }: Typed) => (rate === undefined ? undefined : rateOf(rate))

export function again(ids: string[], options: Typed, command: Command): Promise<void> {
  const filters = filtersOf(options)
  mustChoose(ids, filters)
  const [reason, rate] = [reasonOf(options), rateIn(options)]
  const chosen: ChosenDeliveries = ids.length > 0 ? { ids } : { filters }
  return act(command, async (context) => {
    if (options.dryRun === true) {
      const data = await redeliverable(context, chosen)
      return { data, words: joined([table(data, 'No delivery matches.'), `${data.length} deliveries would be sent through again`], '\n\n') }
    }
    const signal = untilInterrupted()
    const show = progress('handed in')
    const of = await countDeliveries(context.database, chosen)
    const data = await redeliver(context, chosen, { reason, rate, signal, onWait, onProgress: (done) => show.at(done, of) })
    show.end()
    const { redelivered, letGo, leftOut, missing, unreadable, interrupted } = data
    for (const id of missing) warn(words`${id}: no such delivery in the journal`)
    for (const id of unreadable) warn(words`${id}: its body in the journal cannot be read`)
    if (interrupted) warn(words`interrupted after ${redelivered} deliveries; the same command starts over, and makes nothing twice`)
    const left = await drain(context, signal)
    const failed = missing.length + unreadable.length > 0 || interrupted
    const whole = leftOut > 0 && `${leftOut} deliveries that were discarded stay so`
    const summary = joined([words`${redelivered} deliveries sent through again`, staysSo(letGo), whole, through(left)], '; ')
    return { data: { ...data, left }, words: summary, failed }
  })
}

export function fromFile(file: string, reason: string, options: Typed, command: Command): Promise<void> {
  const rate = rateIn(options)
  return act(command, async (context) => {
    const signal = untilInterrupted()
    const tellBad = (bad: Array<{ line: number; reason: string }>) => {
      for (const { line, reason } of bad) warn(words`${file}:${line}: ${reason}`)
    }
    if (options.dryRun === true) {
      const data = await wouldImport(context, file, signal)
      const { deliveries, known, bad, interrupted } = data
      tellBad(bad)
      const summary = words`${deliveries} deliveries would be handed in, ${known} of which the journal knows, ${bad.length} lines left out`
      return { data, words: summary, failed: bad.length > 0 || interrupted }
    }
    const of = await countLines(file)
    const show = progress('read')
    const data = await importFile(context, file, { reason, rate, signal, onWait, onProgress: (done) => show.at(done, of, 'lines') })
    show.end()
    const { imported, letGo, bad, lines, interrupted } = data
    tellBad(bad)
    if (interrupted)
      warn(words`interrupted after ${imported} deliveries, in line ${lines}; the same command starts over, and makes nothing twice`)
    const left = await drain(context, signal)
    const summary = joined([words`${imported} deliveries handed in, ${bad.length} lines left out`, staysSo(letGo), through(left)], '; ')
    return { data: { ...data, left }, words: summary, failed: bad.length > 0 || interrupted }
  })
}

async function drain(context: OpsContext, signal: AbortSignal): Promise<number> {
  const show = progress('through')
  let most = 0
  const left = await awaitDrained(context, signal, (now) => {
    most = Math.max(most, now)
    if (most > 0) show.at(most - now, most)
  })
  show.end()
  return left
}

function staysSo(letGo: number): Words | false {
  return letGo > 0 && words`${letGo} effects of theirs that were discarded stay so`
}

function through(left: number): string {
  return left === 0 ? 'all is through' : `${left} ${left === 1 ? 'job is' : 'jobs are'} left, see bin/ops status`
}

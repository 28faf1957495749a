// What `redeliver` and `import` do.
import type { Command } from 'commander'
import { importFile } from '../actions/import.ts'
import { redeliver } from '../actions/redeliver.ts'
import { act, filtersOf, mustChoose, untilInterrupted } from '../command.ts'
import { reasonOf, type Typed } from '../usage.ts'
import { warn, words } from '../words.ts'

const onWait = (waiting: number) => warn(words`${waiting} deliveries wait to be routed: the rest follows as they become fewer`)

export function again(ids: string[], options: Typed, command: Command): Promise<void> {
  const filters = filtersOf(options)
  mustChoose(ids, filters)
  const reason = reasonOf(options)
  return act(command, async (context) => {
    const manner = { reason, signal: untilInterrupted(), onWait }
    const data = await redeliver(context, ids.length > 0 ? { ids } : { filters }, manner)
    const { redelivered, missing, unreadable, interrupted } = data
    for (const id of missing) warn(words`${id}: no such delivery in the journal`)
    for (const id of unreadable) warn(words`${id}: its body in the journal cannot be read`)
    if (interrupted) warn(words`interrupted after ${redelivered} deliveries; the same command starts over, and makes nothing twice`)
    const failed = missing.length + unreadable.length > 0 || interrupted
    return { data, words: words`${redelivered} deliveries sent through again`, failed }
  })
}

export function fromFile(file: string, reason: string, command: Command): Promise<void> {
  return act(command, async (context) => {
    const data = await importFile(context, file, { reason, signal: untilInterrupted(), onWait })
    const { imported, bad, lines, interrupted } = data
    for (const { line, reason } of bad) warn(words`${file}:${line}: ${reason}`)
    if (interrupted)
      warn(words`interrupted after ${imported} deliveries, in line ${lines}; the same command starts over, and makes nothing twice`)
    const summary = words`${imported} deliveries handed in, ${bad.length} lines left out`
    return { data, words: summary, failed: bad.length > 0 || interrupted }
  })
}

// What the commands do that only inspect.
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { migrate } from '#shared/journal/database.ts'
import { listAudit } from '../actions/audit.ts'
import { listDeliveries } from '../actions/deliveries.ts'
import { status } from '../actions/status.ts'
import { verdict } from '../actions/verdict.ts'
import { act, filtersOf, isJson, lookAround, type Said, untilInterrupted } from '../command.ts'
import type { OpsContext } from '../context.ts'
import { sayAudit, sayDeliveries } from '../say.ts'
import { sayStatus, sayVerdict } from '../say-status.ts'
import type { Typed } from '../usage.ts'
import { outputJson, outputOver, words } from '../words.ts'

const redrawMs = 2000

export function showStatus({ watch, exitCode }: Typed, command: Command): Promise<void> {
  return lookAround(command, async (context) => {
    // A journal that is new has no tables yet; one that is away is told in the status.
    await migrate(context.database).catch(() => undefined)
    if (exitCode === true) return sayVerdict(verdict(await status(context)))
    return watch === true ? await watchStatus(context, isJson(command)) : sayStatus(await status(context))
  })
}

export function deliveries(options: Typed, command: Command): Promise<void> {
  const filters = filtersOf(options)
  return act(command, async ({ database }) => sayDeliveries(await listDeliveries(database, filters)))
}

export function audit(options: Typed, command: Command): Promise<void> {
  const filters = filtersOf(options)
  return act(command, async ({ database }) => sayAudit(await listAudit(database, filters)))
}

// Each screen is written over the one before, on a terminal; in a pipe they follow each other.
async function watchStatus(context: OpsContext, asJson: boolean): Promise<Said> {
  const signal = untilInterrupted()
  while (!signal.aborted) {
    const said = sayStatus(await status(context))
    if (asJson) outputJson(said.data)
    else outputOver(said.words)
    await pause(redrawMs, undefined, { signal }).catch(() => undefined)
  }
  return { data: undefined, words: words`` }
}

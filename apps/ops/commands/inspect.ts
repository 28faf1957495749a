// The commands that only inspect: how everything stands, which deliveries came, what became of one, what operators did.
import { setTimeout as pause } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { migrate } from '#shared/journal/database.ts'
import { listAudit } from '../actions/audit.ts'
import { listDeliveries } from '../actions/deliveries.ts'
import { explain } from '../actions/explain.ts'
import { status } from '../actions/status.ts'
import { act, filtersOf, isJson, lookAround, type Said, untilInterrupted } from '../command.ts'
import type { OpsContext } from '../context.ts'
import { withFilters } from '../filters.ts'
import { sayAudit, sayDeliveries, sayStory } from '../say.ts'
import { sayStatus } from '../say-status.ts'
import { outputJson, outputOver, words } from '../words.ts'

const redrawMs = 2000

const statusHelp = `
Exit 1 when Redis or the database is away; what can be told is told all the same. With --json an object:
  at, redis and database {state: up|down, reason}, dead, lastDelivery {id, at, kind}, silence {seconds, usualSeconds},
  queues [{id, waiting, active, delayed, dead, paused, pausedBy: {who, reason, since}, lag,
    held: {since, until, probes, reason, refused}}],
  remotes [{id, state: up|held|refused, since, reason}], spool {deliveries, bytes, since}, feed {subscribers},
  token {expiresAt, daysLeft, active, checkedAt}, processes [{id, app, host, pid, version, since, seen, …}].
Times are ISO 8601, lag is in seconds; what is not known is null, or an empty list.`

export function inspectCommands(ops: Command): void {
  ops
    .command('status')
    .description('the state of everything')
    .option('--watch', 'again every 2 s, until Ctrl-C')
    .addHelpText('after', statusHelp)
    .action(({ watch }: { watch?: boolean }, command: Command) =>
      lookAround(command, async (context) => {
        // A journal that is new has no tables yet; one that is away is told in the status.
        await migrate(context.database).catch(() => undefined)
        return watch === true ? await watchStatus(context, isJson(command)) : sayStatus(await status(context))
      }),
    )

  withFilters(ops.command('deliveries'))
    .description('the deliveries of the journal, newest first')
    .addHelpText('after', "\n  bin/ops deliveries --project 'repos/*' --kind merge_request --since 2h")
    .action((options: unknown, command: Command) => {
      const filters = filtersOf(options)
      return act(command, async ({ database }) => sayDeliveries(await listDeliveries(database, filters)))
    })

  ops
    .command('explain <delivery>')
    .description('everything known about one delivery, also why nothing came of it')
    .action((id: string, _: unknown, command: Command) => act(command, async ({ database }) => sayStory(id, await explain(database, id))))

  auditCommand(ops.command('audit'))
  // Its former name.
  auditCommand(ops.command('acts', { hidden: true }))
}

function auditCommand(command: Command): void {
  command
    .description('the audit log: who did what, when and why, latest first')
    .addOption(new Option('--since <time>', 'then or later: ISO 8601, or 90s, 10m, 2h, 3d, 1w ago'))
    .addOption(new Option('--until <time>', 'before'))
    .addOption(new Option('--limit <count>', 'at most so many (default: 50)'))
    .action((options: unknown, command: Command) => {
      const filters = filtersOf(options)
      return act(command, async ({ database }) => sayAudit(await listAudit(database, filters)))
    })
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

// The commands that only inspect: how everything stands, which deliveries came, what became of one, what operators did.
import { type Command, Option } from 'commander'
import { type Typed, withFilters } from '../usage.ts'

const runs = () => import('../runs/inspect.ts')

const statusHelp = `
Exit 1 when Redis or the database takes no writes; what can be told is told all the same. With --exit-code only one line, for
monitoring: exit 0 (ok), 1 (degraded: something waits, was lost, or needs somebody), 2 (broken: Redis takes nothing, or no ingest
or no worker is there), and why. Dead letters do not count. With --json an object:
  at, redis and database {state: up|down, reason, readable}, losses [{id, kind, since, until, count, message, remedy}], dead, lastDelivery {id, at, kind}, nextRestart {may, why}, silence {seconds, usualSeconds},
  queues [{id, waiting, active, delayed, dead, paused, pausedBy: {who, reason, since}, lag,
    held: {since, until, probes, reason, refused}}],
  remotes [{id, state: up|down|held|refused, since, reason, lastUse}], spool {deliveries, bytes, since}, feed {subscribers},
  token {expiresAt, daysLeft, active, checkedAt}, processes [{id, app, host, pid, version, since, seen, silent, …}].
and with --exit-code: state (ok, degraded, broken), why [text].
Times are ISO 8601, lag is in seconds; what is not known is null, or an empty list.`

const explainHelp = `
  bin/ops explain repos/releng/tool!12                  each of its deliveries, the latest 50, newest first

With --json an object of a delivery, a list of a merge request's: id, sentence, privacy, receivedAt, kind, action, project, mr,
user, title, decisions [{sink, reason}], effects [{id, sink, task, attempts [{at, ms, error}],
outcome {state: planned|held|paused|done|nothing|dead|discarded, reason, link, at, error}}].`

export function inspectCommands(ops: Command): void {
  ops
    .command('status')
    .description('the state of everything')
    .addOption(new Option('--watch', 'again every 2 s, until Ctrl-C').conflicts('exitCode'))
    .option('--exit-code', 'for monitoring: one line, and 0, 1 (degraded) or 2 (broken)')
    .addHelpText('after', statusHelp)
    .action(async (options: Typed, command: Command) => (await runs()).showStatus(options, command))

  withFilters(ops.command('deliveries'))
    .description('the deliveries of the journal, newest first')
    .addHelpText('after', "\n  bin/ops deliveries --project 'repos/*' --kind merge_request --since 2h")
    .action(async (options: Typed, command: Command) => (await runs()).deliveries(options, command))

  ops
    .command('explain <delivery|project!iid>')
    .description('everything known about a delivery, or about those of a merge request; also why nothing came of it')
    .addHelpText('after', explainHelp)
    .action(async (about: string, _: Typed, command: Command) => (await import('../runs/explain.ts')).tell(about, command))

  auditCommand(ops.command('audit'))
  // Its former name.
  auditCommand(ops.command('acts', { hidden: true }))
}

function auditCommand(command: Command): void {
  command
    .description('the audit log: who did what, when and why, latest first')
    .option('--since <time>', 'then or later: ISO 8601, or 90s, 10m, 2h, 3d, 1w ago')
    .option('--until <time>', 'before')
    .option('--limit <count>', 'at most so many (default: 50)')
    .action(async (options: Typed, command: Command) => (await runs()).audit(options, command))
}

// `tail`.
import type { Command } from 'commander'
import type { Typed } from '../usage.ts'

export function tailCommands(ops: Command): void {
  ops
    .command('tail')
    .description('the feed, live, a line an event, until Ctrl-C')
    .option('--kind <kind>', 'the event kind, such as merge_request')
    .option('--project <path>', 'the path of a project; * stands for anything')
    .option('--mr <project!iid>', 'a merge request')
    .option('--text <text>', 'words of the title, the user name or the project, or how they begin')
    .option('--since <time>', 'begin with those received then or later, as far back as Redis has them: ISO 8601, or 90s, 10m, 2h ago')
    .option('--until <time>', 'only those received before; when that has passed it ends')
    .option('--id <id>', 'the id of a delivery, or how ids begin')
    .option('--sink <name>', 'the sink whose work the feed is, and no other')
    .option('--limit <count>', 'end after so many')
    .addHelpText('after', "\nWith --json each line is an object.\n\n  bin/ops tail --project 'repos/releng/*' --since 10m")
    .action(async (options: Typed, command: Command) => (await import('../runs/tail.ts')).follow(options, command))
}

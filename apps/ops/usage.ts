// What all commands have in common where they are declared. Help and mistakes of typing load no more than this and the
// declarations in `commands/`; what a command then does is in `runs/`, and is loaded when it is typed.
import type { Command } from 'commander'
import { states } from '#shared/journal/search/filters.ts'

/** The words of a command cannot be used: exit 2, nothing changed. */
export class BadUsage extends Error {}

/** The options of a command as they were typed. */
export type Typed = Record<string, unknown>

/** Adds `--reason` to a command that changes something. */
export function withReason(command: Command): Command {
  return command.option('--reason <text>', 'why, for the record: nothing is changed without it')
}

/** Adds the filters, the same everywhere, to a command. */
export function withFilters(command: Command): Command {
  return command
    .option('--sink <name>', 'a sink, by the name of its queue in `status`; or router')
    .option('--kind <kind>', 'the event kind, such as merge_request')
    .option('--project <path>', 'the path of a project; * stands for anything')
    .option('--mr <project!iid>', 'a merge request')
    .option('--task <task>', 'a Phabricator task, such as T123')
    .option('--state <state>', `how effects ended: one of ${states.join(', ')}`)
    .option('--error <id>', 'an error group')
    .option('--since <time>', 'received then or later: ISO 8601, or 90s, 10m, 2h, 3d, 1w ago')
    .option('--until <time>', 'received before')
    .option('--id <id>', 'the id of a delivery, or how ids begin')
    .option('--text <text>', 'words of the title, the user name or the project, or how they begin')
    .option('--limit <count>', 'at most so many')
}

/** The reason given with `--reason`; none is asked for in a dry run. Throws `BadUsage`. */
export function reasonOf({ reason, dryRun }: Typed): string {
  if (dryRun === true) return ''
  if (typeof reason === 'string' && reason.trim() !== '') return reason.trim()
  throw new BadUsage('--reason: say why, for the record')
}

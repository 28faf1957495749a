// What can be typed behind `bin/ops`. What each command does is in `runs/`, by way of an action, and is loaded when it is
// typed: help and mistakes of typing need none of it.
import { Command } from 'commander'
import { acknowledgeCommands } from './commands/acknowledge.ts'
import { canaryCommands } from './commands/canary.ts'
import { deadCommands } from './commands/dead.ts'
import { doctorCommands } from './commands/doctor.ts'
import { handInCommands } from './commands/hand-in.ts'
import { inspectCommands } from './commands/inspect.ts'
import { pauseCommands } from './commands/pause.ts'
import { pruneCommands } from './commands/prune.ts'
import { reconcileCommands } from './commands/reconcile.ts'
import { repairCommands } from './commands/repair.ts'
import { tailCommands } from './commands/tail.ts'
import { tokenCommands } from './commands/token.ts'
import { warn, words } from './words.ts'

const examples = `
Examples:
  bin/ops doctor                                         is all well, and if not, what to do
  bin/ops status --watch                                 the state of everything, again every 2 s
  bin/ops deliveries --mr repos/releng/tool!12           what came about a merge request
  bin/ops explain repos/releng/tool!12                   what became of a merge request, or of a delivery, and why
  bin/ops dead groups                                    what failed, by error
  bin/ops replay --group <error> --dry-run               what a replay would do now
  bin/ops replay --group <error> --reason 'repaired'     do it
  bin/ops redeliver --since 2h --reason 'Redis was lost' send deliveries through again

The same environment variables as the worker's are read. Exit 0 done, 1 something failed, 2 bad usage (nothing has been
changed), 78 bad configuration.`

const groups = {
  'Inspect:': [inspectCommands, tailCommands, doctorCommands, canaryCommands],
  'Repair:': [deadCommands, repairCommands, handInCommands, reconcileCommands, acknowledgeCommands],
  'Maintain:': [pauseCommands, tokenCommands, pruneCommands],
}

/** All commands. To parse words with it does what they say; rejects with a `CommanderError` or `BadUsage` when they cannot be used. */
export function program(): Command {
  const ops = new Command('bin/ops')
    .description('Inspect and repair what gitlab-webhooks does.')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (fault) => warn(words`${fault.trimEnd()}`) })
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
  for (const [heading, commands] of Object.entries(groups)) {
    ops.commandsGroup(heading)
    for (const add of commands) add(ops)
  }
  return ops
}

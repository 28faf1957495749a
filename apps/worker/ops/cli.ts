// `bin/ops`: the operator's command line. Each verb is an action of its own; in `commands/` is what is typed.
import { Command, CommanderError } from 'commander'
import { inWords } from '#shared/errors.ts'
import { BadUsage } from './command.ts'
import { deadCommands } from './commands/dead.ts'
import { handInCommands } from './commands/hand-in.ts'
import { lookCommands } from './commands/look.ts'
import { mendCommands } from './commands/mend.ts'
import { pauseCommands } from './commands/pause.ts'

const ops = new Command('bin/ops')
  .description('See and mend what gitlab-webhooks does.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .option('--json', 'print JSON')

for (const add of [lookCommands, deadCommands, mendCommands, handInCommands, pauseCommands]) add(ops)

try {
  await ops.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) console.error(inWords(error))
  const usage = error instanceof BadUsage || (error instanceof CommanderError && error.exitCode !== 0)
  process.exitCode = usage ? 2 : error instanceof CommanderError ? 0 : 1
}
// Whatever is still open, such as a connection that was never made, must not keep the operator waiting.
process.exit()

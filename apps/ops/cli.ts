// `bin/ops`: the operator's command line.
import { CommanderError } from 'commander'
import { inWords } from '#shared/process/errors.ts'
import { program } from './program.ts'
import { BadUsage } from './usage.ts'
import { quietLibraries, warn, words } from './words.ts'

quietLibraries()

try {
  await program().parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) warn(words`${inWords(error)}`)
  const usage = error instanceof BadUsage || (error instanceof CommanderError && error.exitCode !== 0)
  process.exitCode = usage ? 2 : error instanceof CommanderError ? 0 : 1
}
// Whatever is still open, such as a connection that was never made, must not keep the operator waiting.
process.exit()

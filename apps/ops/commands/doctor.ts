// `doctor`.
import type { Command } from 'commander'
import type { Typed } from '../usage.ts'

const help = `
It changes nothing. Exit 0 when nothing is wrong (there may be warnings), 1 when something is, 78 when the configuration
cannot be used. With --json an array of objects: id, state (ok, warning, wrong), message, remedy (null when it is ok).`

export function doctorCommands(ops: Command): void {
  ops
    .command('doctor')
    .description('check all that the service needs, and say what is wrong and how to repair it')
    .addHelpText('after', help)
    .action(async (_: Typed, command: Command) => (await import('../runs/doctor.ts')).check(command))
}

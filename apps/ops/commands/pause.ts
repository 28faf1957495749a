// `pause` and `resume`.
import type { Command } from 'commander'
import { reasonOf, type Typed, withReason } from '../usage.ts'

const runs = () => import('../runs/pause.ts')
const sink = ['<sink>', 'its name, as `status` shows it'] as const

export function pauseCommands(ops: Command): void {
  withReason(ops.command('pause'))
    .argument(...sink)
    .description('stop the work of one sink; what comes waits, in order')
    .action(async (name: string, options: Typed, command: Command) => {
      const reason = reasonOf(options)
      return (await runs()).pause(name, reason, command)
    })

  withReason(ops.command('resume'))
    .argument(...sink)
    .description('start the work of a paused sink again')
    .option('--now', 'where it is on hold: ask its remote now, and not when the wait is over')
    .action(async (name: string, options: Typed, command: Command) => {
      const reason = reasonOf(options)
      return (await runs()).resume(name, reason, options, command)
    })
}

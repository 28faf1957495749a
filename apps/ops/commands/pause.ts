// `pause` and `resume`.
import type { Command } from 'commander'
import { reasonOf, type Typed, withReason } from '../usage.ts'

export function pauseCommands(ops: Command): void {
  for (const [verb, description] of [
    ['pause', 'stop the work of one sink; what comes waits, in order'],
    ['resume', 'start the work of a paused sink again'],
  ] as const) {
    withReason(ops.command(verb))
      .argument('<sink>', 'its name, as `status` shows it')
      .description(description)
      .action(async (sink: string, options: Typed, command: Command) => {
        const reason = reasonOf(options)
        return (await import('../runs/pause.ts'))[verb](sink, reason, command)
      })
  }
}

// `acknowledge`: a loss has been seen to, and is not told any more.
import type { Command } from 'commander'
import { reasonOf, type Typed, withReason } from '../usage.ts'

export function acknowledgeCommands(ops: Command): void {
  withReason(ops.command('acknowledge <loss...>'))
    .description('a loss that status and doctor tell of has been seen to: it is told no more')
    .action(async (ids: string[], options: Typed, command: Command) => {
      const reason = reasonOf(options)
      return (await import('../runs/acknowledge.ts')).acknowledgeThese(ids, reason, command)
    })
}

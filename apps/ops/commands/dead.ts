// `dead`, `dead groups`, `dead show`: the dead letters.
import type { Command } from 'commander'
import { type Typed, withFilters } from '../usage.ts'

const runs = () => import('../runs/dead.ts')

export function deadCommands(ops: Command): void {
  const dead = withFilters(ops.command('dead'))
    .description('dead letters: effects that will not be retried by themselves')
    .action(async (options: Typed, command: Command) => (await runs()).list(options, command))
  dead
    .command('groups')
    .description('dead letters by error')
    .action(async (_: Typed, command: Command) => (await runs()).groups(dead.opts(), command))
  dead
    .command('show <id>')
    .description('one dead letter, with the story of its delivery')
    .action(async (id: string, _: Typed, command: Command) => (await runs()).show(id, command))
}

// `token` and `token rotate`.
import type { Command } from 'commander'
import { type Typed, withReason } from '../usage.ts'

const runs = () => import('../runs/token.ts')

export function tokenCommands(ops: Command): void {
  const token = ops
    .command('token')
    .description('how long the access token for GitLab is still good')
    .action(async (_: Typed, command: Command) => (await runs()).show(command))

  withReason(token.command('rotate'))
    .description('exchange it for a new one, which goes to the file of GITLAB_TOKEN_FILE, or is printed once')
    .option('--expires <day>', 'YYYY-MM-DD, UTC (default: a year from now, less a day)')
    .option('--print', 'print it even where there is a file for it')
    .action(async (options: Typed, command: Command) => (await runs()).rotate(options, command))
}

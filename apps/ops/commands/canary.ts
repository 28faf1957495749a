// `canary`.
import type { Command } from 'commander'
import type { Typed } from '../usage.ts'

export function canaryCommands(ops: Command): void {
  ops
    .command('canary')
    .description(
      'send a test delivery to the public address and wait for it on the feed; exit 1 when it does not come, with how far it got',
    )
    .option('--url <address>', 'where GitLab posts to (default: http://127.0.0.1:$PORT/hooks)')
    .option('--feed <address>', 'the feed (default: /sse/ at the same place)')
    .option('--timeout <seconds>', 'how long to wait', '30')
    .action(async (options: Typed, command: Command) => (await import('../runs/canary.ts')).canary(options, command))
}

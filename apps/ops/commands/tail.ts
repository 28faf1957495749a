// `tail`.
import type { Command } from 'commander'
import { feed } from '#sinks/feed/sink.ts'
import { type TailLine, tail } from '../actions/tail.ts'
import { BadUsage, filtersOf, isJson, lookAround, untilInterrupted } from '../command.ts'
import { dim } from '../print.ts'
import { joined, output, outputJson, padded, type Words, words } from '../words.ts'

export function tailCommands(ops: Command): void {
  ops
    .command('tail')
    .description('the feed, live, a line an event, until Ctrl-C')
    .option('--kind <kind>', 'the event kind, such as merge_request')
    .option('--project <path>', 'the path of a project; * stands for anything')
    .option('--mr <project!iid>', 'a merge request')
    .option('--text <text>', 'words of the title, the user name or the project, or how they begin')
    .option('--since <time>', 'begin with those received then or later, as far back as Redis has them: ISO 8601, or 90s, 10m, 2h ago')
    .option('--until <time>', 'only those received before; when that has passed it ends')
    .option('--id <id>', 'the id of a delivery, or how ids begin')
    .option('--sink <name>', `${feed.name}, whose work the feed is`)
    .option('--limit <count>', 'end after so many')
    .addHelpText('after', "\nWith --json each line is an object.\n\n  bin/ops tail --project 'repos/releng/*' --since 10m")
    .action((options: unknown, command: Command) => {
      const filters = filtersOf(options)
      if ((filters.sink ?? feed.name) !== feed.name)
        throw new BadUsage(`--sink: the feed is what the sink ${feed.name} makes: expected ${feed.name}`)
      return lookAround(command, async (context) => {
        for await (const line of tail(context, filters, untilInterrupted()))
          if (isJson(command)) outputJson(line)
          else output(say(line))
        return { data: undefined, words: words`` }
      })
    })
}

const kindWidth = 18
const actionWidth = 10

function say({ at, kind, action, project, mr, user, id }: TailLine): Words {
  const what = [padded(kind, kindWidth), padded(action ?? '–', actionWidth)]
  return joined([dim(at), ...what, mr ?? project ?? '–', user !== null && `by ${user}`, dim(id)], '  ')
}

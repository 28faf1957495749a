// What `tail` does.
import type { Command } from 'commander'
import { feed } from '#sinks/feed/sink.ts'
import { type TailLine, tail } from '../actions/tail.ts'
import { filtersOf, isJson, lookAround, untilInterrupted } from '../command.ts'
import { dim } from '../print.ts'
import { BadUsage, type Typed } from '../usage.ts'
import { joined, output, outputJson, padded, type Words, words } from '../words.ts'

export function follow(options: Typed, command: Command): Promise<void> {
  const filters = filtersOf(options)
  if ((filters.sink ?? feed.name) !== feed.name)
    throw new BadUsage(`--sink: the feed is what the sink ${feed.name} makes: expected ${feed.name}`)
  return lookAround(command, async (context) => {
    for await (const line of tail(context, filters, untilInterrupted()))
      if (isJson(command)) outputJson(line)
      else output(say(line))
    return { data: undefined, words: words`` }
  })
}

const kindWidth = 18
const actionWidth = 10

function say({ at, kind, action, project, mr, user, id }: TailLine): Words {
  const what = [padded(kind, kindWidth), padded(action ?? '–', actionWidth)]
  return joined([dim(at), ...what, mr ?? project ?? '–', user !== null && `by ${user}`, dim(id)], '  ')
}

// `pause` and `resume`.
import { Argument, type Command } from 'commander'
import { type SinkName, sinkNames } from '#sinks/registry.ts'
import { pauseSink, resumeSink } from '../actions/pause.ts'
import { act, reasonOf, withReason } from '../command.ts'
import { words } from '../words.ts'

export function pauseCommands(ops: Command): void {
  for (const [verb, description, change] of [
    ['pause', 'stop the work of one sink; what comes waits, in order', pauseSink],
    ['resume', 'start the work of a paused sink again', resumeSink],
  ] as const) {
    withReason(ops.command(verb))
      .addArgument(new Argument('<sink>').choices(sinkNames))
      .description(description)
      .action((sink: SinkName, options: Record<string, unknown>, command: Command) => {
        const reason = reasonOf(options)
        return act(command, async (context) => {
          const data = await change(context, sink, reason)
          return { data, words: words`${sink} is ${data.paused ? 'paused' : 'running, unless it is on hold'}` }
        })
      })
  }
}

// What `pause` and `resume` do.
import type { Command } from 'commander'
import { sinkNames, sinkOf } from '#sinks/registry.ts'
import { pauseSink, resumeSink } from '../actions/pause.ts'
import { act } from '../command.ts'
import { BadUsage } from '../usage.ts'
import { words } from '../words.ts'

export const pause = by(pauseSink)
export const resume = by(resumeSink)

function by(change: typeof pauseSink) {
  return async (name: string, reason: string, command: Command): Promise<void> => {
    const sink = sinkOf(name)
    if (sink === undefined) throw new BadUsage(`${name}: expected one of ${sinkNames.join(', ')}`)
    await act(command, async (context) => {
      const data = await change(context, sink, reason)
      return { data, words: words`${sink} is ${data.paused ? 'paused' : 'running, unless it is on hold'}` }
    })
  }
}

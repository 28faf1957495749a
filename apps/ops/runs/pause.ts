// What `pause` and `resume` do.
import type { Command } from 'commander'
import { type SinkName, sinkNames, sinkOf } from '#sinks/registry.ts'
import { pauseSink, resumeSink } from '../actions/pause.ts'
import { act } from '../command.ts'
import { asksAgain } from '../print.ts'
import { BadUsage, type Typed } from '../usage.ts'
import { words } from '../words.ts'

export async function pause(name: string, reason: string, command: Command): Promise<void> {
  const sink = sinkNamed(name)
  await act(command, async (context) => ({ data: await pauseSink(context, sink, reason), words: words`${sink} is paused` }))
}

export async function resume(name: string, reason: string, { now }: Typed, command: Command): Promise<void> {
  const sink = sinkNamed(name)
  await act(command, async (context) => {
    const data = await resumeSink(context, sink, reason, { now: now === true })
    if (data.held === null) return { data, words: words`${sink} is running` }
    const hint = now === true ? '' : '; --now asks at once'
    return { data, words: words`${sink} is not paused, but on hold: it ${asksAgain(data.held.until)}${hint}` }
  })
}

function sinkNamed(name: string): SinkName {
  const sink = sinkOf(name)
  if (sink === undefined) throw new BadUsage(`${name}: expected one of ${sinkNames.join(', ')}`)
  return sink
}

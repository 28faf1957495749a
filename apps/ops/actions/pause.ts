// `pause` and `resume`: an operator stops the work of one sink, and lets it go on. What comes meanwhile waits, in order.
import type { SinkName } from '#sinks/registry.ts'
import { onRecord } from '../audit.ts'
import type { OpsContext } from '../context.ts'

export async function pauseSink(context: OpsContext, sink: SinkName, reason: string): Promise<{ sink: string; paused: boolean }> {
  await onRecord(context, { verb: 'pause', reason, details: { sink } }, async (tally) => {
    await context.queues[sink].pause()
    tally.count = 1
  })
  return { sink, paused: true }
}

export async function resumeSink(context: OpsContext, sink: SinkName, reason: string): Promise<{ sink: string; paused: boolean }> {
  await onRecord(context, { verb: 'resume', reason, details: { sink } }, async (tally) => {
    await context.queues[sink].resume()
    tally.count = 1
  })
  return { sink, paused: false }
}

// `pause` and `resume`: an operator stops the work of one sink, and lets it go on. What comes meanwhile waits, in order.
import type { SinkName } from '#sinks/registry.ts'
import { onRecord } from '../audit.ts'
import type { Place } from '../context.ts'

export async function pauseSink(place: Place, sink: SinkName, reason: string): Promise<{ sink: string; paused: boolean }> {
  await onRecord(place, { verb: 'pause', reason, details: { sink } }, async (tally) => {
    await place.queues[sink].pause()
    tally.count = 1
  })
  return { sink, paused: true }
}

export async function resumeSink(place: Place, sink: SinkName, reason: string): Promise<{ sink: string; paused: boolean }> {
  await onRecord(place, { verb: 'resume', reason, details: { sink } }, async (tally) => {
    await place.queues[sink].resume()
    tally.count = 1
  })
  return { sink, paused: false }
}

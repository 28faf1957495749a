// `pause` and `resume`: an operator stops the work of one sink, and lets it go on. What comes meanwhile waits, in order.
import type { SinkName } from '#shared/queues.ts'
import type { Place } from '../place.ts'

export async function pauseSink(place: Place, sink: SinkName, reason: string): Promise<{ sink: string; paused: boolean }> {
  await place.queues[sink].pause()
  await place.record('pause', reason, { sink }, 1)
  return { sink, paused: true }
}

export async function resumeSink(place: Place, sink: SinkName, reason: string): Promise<{ sink: string; paused: boolean }> {
  await place.queues[sink].resume()
  await place.record('resume', reason, { sink }, 1)
  return { sink, paused: false }
}

// `pause` and `resume`: an operator stops the work of one sink, and lets it go on. What comes meanwhile waits, in order.
import { askAgain, readHold } from '#shared/queue/hold.ts'
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

export type Resumed = { sink: string; paused: boolean; held: { until: string } | null }

/** Lets it go on. With `now` a sink that is on hold asks its remote again at once, and not when its wait is over. */
export async function resumeSink(context: OpsContext, sink: SinkName, reason: string, { now = false } = {}): Promise<Resumed> {
  const { queues, redis, prefix } = context
  await onRecord(context, { verb: 'resume', reason, details: { sink, ...(now && { now }) } }, async (tally) => {
    await queues[sink].resume()
    if (now) await askAgain(redis, prefix, queues[sink])
    tally.count = 1
  })
  const hold = await readHold(redis, prefix, sink)
  return { sink, paused: false, held: hold ? { until: hold.until.toISOString() } : null }
}

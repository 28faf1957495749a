// At the end of a run: what became of the effects that were put back and then lost from sight, such as those that were
// tried again for a while, or that somebody put back who was killed. Those that are still under way stay so.
import { deliveryJobId } from '#shared/queue/queues.ts'
import { sinkOf } from '#sinks/registry.ts'
import type { OpsContext } from '../../context.ts'
import { chosenBy } from './chosen.ts'
import type { ReplayTally } from './tally.ts'
import { verdictOn } from './under-way.ts'

/** Looks at all effects of the replay `id` whose end is not known. */
export async function settleRest({ database, queues }: OpsContext, id: number, tally: ReplayTally): Promise<void> {
  for await (const { number, effect, sink, delivery } of chosenBy(database, id, 'back')) {
    if (sink === null || delivery === null) continue
    const name = sinkOf(sink)
    const job = name === undefined ? { queue: queues.deliveries, job: deliveryJobId(delivery) } : { queue: queues[name], job: effect }
    const verdict = await verdictOn({ number, ...job })
    if (verdict === 'done' || verdict === 'failed') await tally.count(number, verdict)
  }
}

// At the end of a run: what became of the effects that were put back and then lost from sight, such as those that were
// tried again for a while, or that somebody put back who was killed. Those that are still under way stay so.
import { behind, pagesOf } from '#shared/journal/keyset.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { sinkOf } from '#sinks/registry.ts'
import type { OpsContext } from '../../context.ts'
import type { ReplayTally } from './tally.ts'
import { verdictOn } from './under-way.ts'

const pageSize = 200

/** Looks at all effects of the replay `id` whose end is not known. */
export async function settleRest({ database, queues }: OpsContext, id: number, tally: ReplayTally): Promise<void> {
  const query = database
    .selectFrom('replay_effects')
    .innerJoin('effects', 'effects.id', 'replay_effects.effect')
    .select(['number', 'effect', 'sink', 'delivery'])
    .where('replay', '=', id)
    .where('outcome', '=', 'back')
    .orderBy('number')
  const read = (last: { number: number } | undefined, count: number) =>
    query
      .where(behind(last && { number: last.number }))
      .limit(count)
      .execute()
  for await (const page of pagesOf(pageSize, read))
    for (const { number, effect, sink, delivery } of page) {
      const name = sinkOf(sink)
      const job = name === undefined ? { queue: queues.deliveries, job: deliveryJobId(delivery) } : { queue: queues[name], job: effect }
      const verdict = await verdictOn({ number, ...job })
      if (verdict === 'done' || verdict === 'failed') await tally.count(number, verdict)
    }
}

// `discard`: lets dead letters go. Their jobs are removed; the journal keeps them, as discarded.

import { router } from '#shared/journal/entry.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { sinkOf } from '#sinks/registry.ts'
import { onRecord } from '../audit.ts'
import type { OpsContext } from '../context.ts'
import { chosenDead, type Selection } from './selection.ts'

export type Discarded = { discarded: number; interrupted: boolean }

type Options = { reason: string; signal?: AbortSignal }

/** Discards the dead letters of `selection`, until `signal` aborts. One that somebody puts back at the same moment stays. */
export async function discard(context: OpsContext, selection: Selection, { reason, signal }: Options): Promise<Discarded> {
  return await onRecord(context, { verb: 'discard', reason, details: selection }, async (tally) => {
    for await (const page of chosenDead(context.database, selection))
      for (const { id } of page) {
        if (signal?.aborted) return { discarded: tally.count, interrupted: true }
        if (await letGo(context, id)) tally.count += 1
      }
    return { discarded: tally.count, interrupted: false }
  })
}

// The row first: whoever has it decides. A job that is under way by then was put back a moment ago, and goes its way.
async function letGo({ database, queues }: OpsContext, id: string): Promise<boolean> {
  const row = await database.selectFrom('effects').select(['sink', 'delivery']).where('id', '=', id).executeTakeFirstOrThrow()
  const turn = async (from: 'dead' | 'discarded', to: 'discarded' | 'planned') => {
    const query = database.updateTable('effects').set({ state: to }).where('id', '=', id).where('state', '=', from)
    return (await query.executeTakeFirst()).numUpdatedRows > 0n
  }
  if (!(await turn('dead', 'discarded'))) return false
  const sink = sinkOf(row.sink)
  const whole = row.sink === router ? queues.deliveries.getJob(deliveryJobId(row.delivery)) : undefined
  const job = await (sink === undefined ? whole : queues[sink].getJob(id))
  if (job && !(await job.isFailed())) {
    await turn('discarded', 'planned')
    return false
  }
  await job?.remove()
  return true
}

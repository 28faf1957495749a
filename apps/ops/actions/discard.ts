// `discard`: lets dead letters go. Their jobs are removed; the journal keeps them, as discarded.

import { router } from '#shared/journal/entry.ts'
import { rememberLetGo } from '#shared/queue/let-go.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { sinkOf } from '#sinks/registry.ts'
import { onRecord } from '../audit.ts'
import type { OpsContext } from '../context.ts'
import { chosenDead, countChosen, type Selection } from './selection.ts'

export type Discarded = { discarded: number; interrupted: boolean }
/** A dead letter that would be let go. */
export type Discardable = { id: string; sink: string; reason: string | null }

type Options = { reason: string; signal?: AbortSignal }

/** The dead letters of `selection`, in the order of their events. */
export async function discardable({ database }: Pick<OpsContext, 'database'>, selection: Selection): Promise<Discardable[]> {
  const found: Discardable[] = []
  for await (const page of chosenDead(database, selection)) {
    const ids = page.map(({ id }) => id)
    const rows = await database.selectFrom('effects').select(['id', 'sink', 'reason']).where('id', 'in', ids).execute()
    const byId = new Map(rows.map((row) => [row.id, row]))
    found.push(...ids.flatMap((id) => byId.get(id) ?? []))
  }
  return found
}

/** Discards the dead letters of `selection`, until `signal` aborts. One that somebody puts back at the same moment stays. */
export async function discard(context: OpsContext, selection: Selection, { reason, signal }: Options): Promise<Discarded> {
  const of = await countChosen(context.database, selection)
  return await onRecord(context, { verb: 'discard', reason, details: { ...selection, of } }, async (tally) => {
    for await (const page of chosenDead(context.database, selection))
      for (const { id } of page) {
        if (signal?.aborted) {
          tally.details = { ...selection, of, interrupted: true }
          return { discarded: tally.count, interrupted: true }
        }
        if (await letGo(context, id)) tally.count += 1
      }
    return { discarded: tally.count, interrupted: false }
  })
}

// The row first: whoever has it decides. A job that is under way by then was put back a moment ago, and goes its way.
async function letGo({ database, queues, ...place }: OpsContext, id: string): Promise<boolean> {
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
  await rememberLetGo(place, [id])
  return true
}

// `discard`: lets dead letters go. Their jobs are removed; the journal keeps them, as discarded.
import { effectSchema } from '#shared/effect.ts'
import type { Place } from '../place.ts'

export type Discarded = { discarded: number }

/** Discards the dead letters among the effects `ids`. */
export async function discard(place: Place, ids: string[], reason: string): Promise<Discarded> {
  const { database, queues } = place
  let discarded = 0
  for (const id of ids) {
    const row = await database.selectFrom('effects').select('sink').where('id', '=', id).where('state', '=', 'dead').executeTakeFirst()
    if (!row) continue
    const job = await queues[effectSchema.shape.sink.parse(row.sink)].getJob(id)
    if (job && (await job.isFailed())) await job.remove()
    const { numUpdatedRows } = await database
      .updateTable('effects')
      .set({ state: 'discarded' })
      .where('id', '=', id)
      .where('state', '=', 'dead')
      .executeTakeFirst()
    discarded += Number(numUpdatedRows)
  }
  await place.record('discard', reason, { effects: ids.slice(0, 100) }, discarded)
  return { discarded }
}

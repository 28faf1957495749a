// Replays as they stand: which there were, how far each has come, and stopping one.
import { z } from 'zod'
import type { Database } from '#shared/journal/database.ts'
import { readJson } from '#shared/process/json.ts'
import type { OpsContext } from '../../context.ts'
import { type Selection, selectionSchema } from '../selection.ts'

export type Progress = {
  id: number
  at: string
  who: string
  reason: string
  rate: number
  selection: Selection
  /** `going` says that it is to go on, not that somebody runs it: who was killed leaves it like that. */
  state: 'choosing' | 'going' | 'interrupted' | 'stopped' | 'done'
  chosen: number
  /** How many were put back, and how many of them are dead letters again. */
  replayed: number
  failedAgain: number
  /** How many were no dead letters any more when their turn came. */
  left: number
  /** How many could not be put back, since neither their job nor their delivery is there any more. */
  lost: number
  /** Why it ended early. */
  stopped?: string
}

const usual = 20

/** The latest replays, latest first; those before the replay `before` only. */
export async function listReplays(database: Database, limit = usual, before = Number.MAX_SAFE_INTEGER): Promise<Progress[]> {
  const query = database.selectFrom('replays').select('id').where('id', '<', before)
  const rows = await query.orderBy('id', 'desc').limit(limit).execute()
  return await Promise.all(rows.map(({ id }) => replayOf(database, id)))
}

/** How the replay `id` stands. Throws when there is none. */
export async function replayOf(database: Database, id: number): Promise<Progress> {
  const row = await database.selectFrom('replays').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new Error(`There is no replay ${id}.`)
  const { back, done, failed, left, lost } = await outcomesOf(database, id)
  return {
    id,
    at: row.at.toISOString(),
    who: row.who,
    reason: row.reason,
    rate: row.rate,
    selection: selectionSchema.parse(readJson(row.selection)),
    state: row.state,
    chosen: row.chosen,
    replayed: back + done + failed,
    failedAgain: failed,
    left,
    lost,
    ...(row.stopped !== null && { stopped: row.stopped }),
  }
}

const outcomesSchema = z.object({
  back: z.number().default(0),
  done: z.number().default(0),
  failed: z.number().default(0),
  left: z.number().default(0),
  lost: z.number().default(0),
})

async function outcomesOf(database: Database, replay: number): Promise<z.output<typeof outcomesSchema>> {
  const rows = await database
    .selectFrom('replay_effects')
    .select(({ fn }) => ['outcome', fn.countAll<number>().as('count')])
    .where('replay', '=', replay)
    .groupBy('outcome')
    .execute()
  return outcomesSchema.parse(Object.fromEntries(rows.map(({ outcome, count }) => [outcome ?? 'waiting', Number(count)])))
}

/** Has the replay `id` interrupted, whoever runs it. False when it has come to its end. */
export async function stopReplay(context: OpsContext, id: number, reason: string): Promise<boolean> {
  const { numUpdatedRows } = await context.database
    .updateTable('replays')
    .set({ state: 'interrupted', stopped: `stopped by ${context.who}`.slice(0, 200) })
    .where('id', '=', id)
    .where('state', '=', 'going')
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return false
  await context.record('stop replay', reason, { replay: id }, 1)
  return true
}

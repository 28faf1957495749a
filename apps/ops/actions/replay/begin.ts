// A replay begins: what was chosen is frozen in the journal, in the order of its events. The same selection, begun again
// within a day while its replay has not come to its end, is that same replay, which goes on where it was.

import type { Database } from '#shared/journal/database.ts'
import { Unavailable } from '#shared/process/errors.ts'
import type { OpsContext } from '../../context.ts'
import { chosenDead, type Selection } from '../selection.ts'
import { underLock } from './lock.ts'

/** `chosen` is how many dead letters there are in it; `left` how many of them have not had their turn. */
export type Begun = { id: number; chosen: number; left: number; continued: boolean }

type Options = { reason: string; rate: number }

const goesOnMs = 24 * 3_600_000
const patienceSeconds = 20

/** Begins the replay of `selection`, or finds the one to go on with. `rate` is in effects a second. */
export async function beginReplay(context: OpsContext, selection: Selection, options: Options): Promise<Begun> {
  const begun = await underLock(context.database, 'begin a replay', patienceSeconds, () => begin(context, selection, options))
  if (!begun) throw new Unavailable('Somebody else is beginning a replay just now. Try again in a moment.')
  return begun.value
}

async function begin(context: OpsContext, selection: Selection, { reason, rate }: Options): Promise<Begun> {
  const { database } = context
  const found = await findUnfinished(database, selection)
  const id = found?.id ?? (await freeze(context, selection, { reason, rate }))
  const continued = found !== undefined
  const left = await countLeft(database, id)
  const details = { replay: id, ...selection, of: left, ...(found && { continued, begunBy: found.who }) }
  const act = await context.record('replay', reason, details, 0)
  const state = continued || left > 0 ? 'going' : 'done'
  await database.updateTable('replays').set({ state, rate, act, stopped: null }).where('id', '=', id).execute()
  return { id, chosen: found?.chosen ?? left, left, continued }
}

async function findUnfinished(database: Database, selection: Selection): Promise<{ id: number; chosen: number; who: string } | undefined> {
  return await database
    .selectFrom('replays')
    .select(['id', 'chosen', 'who'])
    .where('state', 'in', ['going', 'interrupted'])
    .where('at', '>', new Date(Date.now() - goesOnMs))
    .where('selection', '=', JSON.stringify(selection))
    .orderBy('id', 'desc')
    .executeTakeFirst()
}

// One whose maker died before all was chosen stays `choosing`, and nobody finds it again.
async function freeze({ database, who }: OpsContext, selection: Selection, { reason, rate }: Options): Promise<number> {
  const row = {
    at: new Date(),
    who: who.slice(0, 100),
    reason: reason.slice(0, 600),
    rate,
    selection: JSON.stringify(selection),
    state: 'choosing' as const,
    chosen: 0,
  }
  const { insertId } = await database.insertInto('replays').values(row).executeTakeFirstOrThrow()
  const replay = Number(insertId)
  let chosen = 0
  for await (const page of chosenDead(database, selection)) {
    const rows = page.map(({ id, died }) => ({ replay, effect: id, died }))
    await database.insertInto('replay_effects').values(rows).execute()
    chosen += page.length
  }
  await database.updateTable('replays').set({ chosen }).where('id', '=', replay).execute()
  return replay
}

async function countLeft(database: Database, replay: number): Promise<number> {
  const { left } = await database
    .selectFrom('replay_effects')
    .select(({ fn }) => fn.countAll<number>().as('left'))
    .where('replay', '=', replay)
    .where('outcome', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(left)
}

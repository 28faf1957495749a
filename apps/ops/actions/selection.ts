// Which dead letters an operator means: some by their ids, or all that the filters choose. A selection is plain text, as it
// was typed, so that it can be written down, and known again when the same command is run once more.
import { type SqlBool, sql } from 'kysely'
import { z } from 'zod'
import type { Database } from '#shared/journal/database.ts'
import { behind, pagesOf } from '#shared/journal/keyset.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { filterSchema } from '../filters.ts'
import { matchingDead } from './dead.ts'

export const selectionSchema = z.union([z.object({ ids: z.array(z.string()) }), z.object({ filters: z.record(z.string(), z.string()) })])

/** `ids` are those of effects; `filters` is what was typed behind each filter's name. */
export type Selection = z.output<typeof selectionSchema>

/** A dead letter among those chosen; `died` is when it became one. */
export type Chosen = { id: string; since: Date; died: Date | null }

const pageSize = 1000

/** Why `filters` can choose nothing to be put back or let go; undefined when they can. */
export function noDeadLetters({ state }: Filters): string | undefined {
  return state === undefined || state === 'dead' ? undefined : 'only dead letters can be replayed or discarded'
}

/**
 * The dead letters of `selection` in the order of their events, a page at a time: with a limit the newest of those that
 * match, as they are listed. Throws when a filter cannot be read.
 */
export async function* chosenDead(database: Database, selection: Selection): AsyncGenerator<Chosen[]> {
  const filters = 'filters' in selection ? filterSchema.parse(selection.filters) : {}
  const oldest = await oldestMeant(database, filters)
  let query = matchingDead(database, filters)
    .select(['effects.id', 'effects.since', 'effects.ended_at as died'])
    .orderBy('effects.since')
    .orderBy('effects.id')
  if ('ids' in selection) query = query.where('effects.id', 'in', selection.ids)
  if (oldest) query = query.where(sql<SqlBool>`(effects.ended_at, effects.id) >= (${oldest.died}, ${oldest.id})`)
  const read = (last: Chosen | undefined, count: number) =>
    query
      .where(behind(last && { 'effects.since': last.since, 'effects.id': last.id }))
      .limit(count)
      .execute()
  yield* pagesOf(pageSize, read, filters.limit)
}

/** How many dead letters of `selection` there are now. Throws when a filter cannot be read. */
export async function countChosen(database: Database, selection: Selection): Promise<number> {
  const filters = 'filters' in selection ? filterSchema.parse(selection.filters) : {}
  let query = matchingDead(database, filters).select(({ fn }) => fn.countAll<number>().as('count'))
  if ('ids' in selection) query = query.where('effects.id', 'in', selection.ids)
  const { count } = await query.executeTakeFirstOrThrow()
  return Math.min(Number(count), filters.limit ?? Number.POSITIVE_INFINITY)
}

// The last of the newest so many; undefined when all that match are meant.
async function oldestMeant(database: Database, filters: Filters): Promise<{ id: string; died: Date | null } | undefined> {
  if (filters.limit === undefined) return undefined
  return await matchingDead(database, filters)
    .select(['effects.id', 'effects.ended_at as died'])
    .orderBy('effects.ended_at', 'desc')
    .orderBy('effects.id', 'desc')
    .offset(filters.limit - 1)
    .limit(1)
    .executeTakeFirst()
}

/** Those of the ids in `selection` that are no dead letters. */
export async function notDead(database: Database, selection: Selection): Promise<string[]> {
  if (!('ids' in selection)) return []
  const found = new Set<string>()
  for await (const page of chosenDead(database, selection)) for (const { id } of page) found.add(id)
  return selection.ids.filter((id) => !found.has(id))
}

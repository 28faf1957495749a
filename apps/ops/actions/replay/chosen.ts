// The effects that a replay chose, in their order, read from the journal a page at a time.
import type { Database } from '#shared/journal/database.ts'
import { behind, pagesOf } from '#shared/journal/keyset.ts'

const pageSize = 200

/** Those of the replay `id` that have this outcome by now: `null` had not their turn yet. What `effects` does not know has no sink. */
export async function* chosenBy(database: Database, id: number, outcome: 'back' | null) {
  const query = database
    .selectFrom('replay_effects')
    .leftJoin('effects', 'effects.id', 'replay_effects.effect')
    .select(['number', 'effect', 'died', 'sink', 'delivery'])
    .where('replay', '=', id)
    .where('outcome', outcome === null ? 'is' : '=', outcome)
    .orderBy('number')
  const read = (last: { number: number } | undefined, count: number) =>
    query
      .where(behind(last && { number: last.number }))
      .limit(count)
      .execute()
  for await (const page of pagesOf(pageSize, read)) yield* page
}

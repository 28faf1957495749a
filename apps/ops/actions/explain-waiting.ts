// For what comments wait that are not made yet: an earlier event of their merge request may turn out to name their task in
// a commit, and GitLab has not told yet. Derived from the journal alone, as the rest of the story is.
import type { Database } from '#shared/journal/database.ts'

type Waiting = { delivery: string; sink: string; state: string; order_key: string; kind: string; received_at: Date }

const mostWaitMs = 60_000

/** In words what `effect` waits for; undefined when that is nothing but its turn, or it does not wait. */
export async function waitsFor(database: Database, effect: Waiting): Promise<string | undefined> {
  const { delivery, sink, state, order_key, kind, received_at } = effect
  if (sink !== 'phabricator' || state !== 'planned' || Date.now() - received_at.getTime() > mostWaitMs) return undefined
  const question = await database
    .selectFrom('effects')
    .select('delivery')
    .where('sink', '=', 'commits')
    .where('state', '=', 'planned')
    .where('kind', '=', kind)
    .where('received_at', '<=', received_at)
    .where('order_key', '=', order_key.split(' ')[0] ?? '')
    .where('delivery', '!=', delivery)
    .orderBy('received_at')
    .limit(1)
    .executeTakeFirst()
  return question && `waits until it is known which tasks the commits of an earlier event name (${question.delivery}), for a minute at most`
}

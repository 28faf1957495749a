// `explain`: the whole story of one delivery, as the journal remembers it: when it came, what each sink decided and why,
// every effect with its failed attempts and how it ended.
import type { Database } from '#shared/journal/database.ts'
import { waitsFor } from './explain-waiting.ts'

export type Story = {
  id: string
  receivedAt: string
  kind: string
  action: string | null
  project: string | null
  mr: string | null
  user: string | null
  title: string | null
  decisions: Array<{ sink: string; reason: string | null }>
  effects: Array<{
    id: string
    sink: string
    task: string | null
    attempts: Array<{ at: string; ms: number; error: string }>
    outcome: { state: string; reason: string | null; link: string | null; at: string | null; error: string | null }
  }>
}

/** The story of the delivery `id`; undefined when the journal does not have it. */
export async function explain(database: Database, id: string): Promise<Story | undefined> {
  const delivery = await database.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst()
  if (!delivery) return undefined
  const decisions = await database.selectFrom('decisions').select(['sink', 'reason']).where('delivery', '=', id).execute()
  const effects = await database.selectFrom('effects').selectAll().where('delivery', '=', id).orderBy('sink').orderBy('id').execute()
  const ids = effects.map((effect) => effect.id)
  const waiting = new Map<string, string | undefined>()
  for (const effect of effects) waiting.set(effect.id, await waitsFor(database, effect))
  const attempts =
    ids.length === 0 ? [] : await database.selectFrom('attempts').selectAll().where('effect', 'in', ids).orderBy('at').execute()

  return {
    id,
    receivedAt: delivery.received_at.toISOString(),
    kind: delivery.kind,
    action: delivery.action,
    project: delivery.project,
    mr: delivery.iid === null ? null : `${delivery.project}!${delivery.iid}`,
    user: delivery.username,
    title: delivery.title,
    decisions,
    effects: effects.map((effect) => ({
      id: effect.id,
      sink: effect.sink,
      task: effect.task === null ? null : `T${effect.task}`,
      attempts: attempts.flatMap((attempt) =>
        attempt.effect === effect.id ? [{ at: attempt.at.toISOString(), ms: attempt.ms, error: attempt.reason }] : [],
      ),
      outcome: {
        state: effect.state,
        reason: effect.reason ?? waiting.get(effect.id) ?? null,
        link: effect.link,
        at: effect.ended_at?.toISOString() ?? null,
        error: effect.error,
      },
    })),
  }
}

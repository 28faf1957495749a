// The story of a delivery, as the journal remembers it: when it came, what each sink decided and why, every effect with its
// failed attempts, and how it ended or what it waits for. Operators and the public are told it from here.
import type { Database } from '#shared/journal/database.ts'
import { declarations } from '#sinks/registry.ts'
import { type Waiting, type WaitingParts, whatTheyWaitFor } from './waiting.ts'

/** What a delivery is about, as it is listed. Times are ISO 8601; `mr` is `<project path>!<number>`. */
export type DeliveryFacts = {
  id: string
  receivedAt: string
  kind: string
  action: string | null
  project: string | null
  mr: string | null
  user: string | null
  title: string | null
}

/** The `state` of an outcome is `held` or `paused` where the queue of a planned effect is. */
export type Story = DeliveryFacts & {
  decisions: Array<{ sink: string; reason: string | null }>
  effects: Array<{
    id: string
    sink: string
    task: string | null
    attempts: Array<{ at: string; ms: number; error: string }>
    outcome: { state: string; reason: string | null; link: string | null; at: string | null; error: string | null }
  }>
}

const mostEffects = 2000

/** The stories of the deliveries with these ids that the journal has, newest first, with 2,000 effects at most. */
export async function storiesOf(parts: WaitingParts, ids: string[]): Promise<Story[]> {
  if (ids.length === 0) return []
  const { database } = parts
  const deliveries = await database
    .selectFrom('deliveries')
    .selectAll()
    .where('id', 'in', ids)
    .orderBy('received_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  const decisions = await database.selectFrom('decisions').selectAll().where('delivery', 'in', ids).execute()
  const effects = await database
    .selectFrom('effects')
    .selectAll()
    .where('delivery', 'in', ids)
    .orderBy('received_at', 'desc')
    .orderBy('sink')
    .orderBy('id')
    .limit(mostEffects)
    .execute()
  const attempts = await attemptsOf(
    database,
    effects.map(({ id }) => id),
  )
  const waiting = await whatTheyWaitFor(parts, effects, attempts)

  return deliveries.map(({ id, received_at, kind, action, project, iid, username, title }) => ({
    id,
    receivedAt: received_at.toISOString(),
    kind,
    action,
    project,
    mr: iid === null ? null : `${project}!${iid}`,
    user: username,
    title,
    decisions: inOrder(decisions.filter(({ delivery }) => delivery === id)),
    effects: effects
      .filter(({ delivery }) => delivery === id)
      .map((effect) => ({
        id: effect.id,
        sink: effect.sink,
        task: effect.task === null ? null : `T${effect.task}`,
        attempts: (attempts.get(effect.id) ?? []).map(({ at, ms, reason }) => ({ at: at.toISOString(), ms, error: reason })),
        outcome: outcomeOf(effect, waiting.get(effect.id)),
      })),
  }))
}

type Attempt = { effect: string; at: Date; ms: number; reason: string }

async function attemptsOf(database: Database, effects: string[]): Promise<Map<string, Attempt[]>> {
  if (effects.length === 0) return new Map()
  const rows = await database.selectFrom('attempts').selectAll().where('effect', 'in', effects).orderBy('at').execute()
  return Map.groupBy(rows, ({ effect }) => effect)
}

type Ending = { state: string; reason: string | null; link: string | null; ended_at: Date | null; error: string | null }

function outcomeOf({ state, reason, link, ended_at, error }: Ending, waiting: Waiting | undefined): Story['effects'][number]['outcome'] {
  return {
    state: waiting?.state ?? state,
    reason: state === 'planned' ? (waiting?.reason ?? null) : reason,
    link,
    at: ended_at?.toISOString() ?? null,
    error,
  }
}

// In the order of the registry. Of a sink that is on where nobody says which, and did not decide, it is said that it was off.
function inOrder(decided: Array<{ sink: string; reason: string | null }>): Story['decisions'] {
  if (decided.length === 0) return []
  const found = (name: string) => decided.filter(({ sink }) => sink === name).map(({ sink, reason }) => ({ sink, reason }))
  const known = declarations.flatMap(({ name, byDefault, partOf }) => {
    const own = found(name)
    const isMissed = own.length === 0 && (partOf ? found(partOf.sink).length > 0 : byDefault)
    return isMissed ? [{ sink: name, reason: `${name} was not enabled then${partOf ? `: ${partOf.without}` : ''}` }] : own
  })
  const others = decided.filter(({ sink }) => !declarations.some(({ name }) => name === sink))
  return [...known, ...others.map(({ sink, reason }) => ({ sink, reason }))]
}

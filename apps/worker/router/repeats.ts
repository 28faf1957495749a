// What a delivery does not bring about, since another one has told of the same event before.
import type { Effect } from '#shared/event/effect.ts'
import type { GitLabEvent } from '#shared/event/event.ts'
import type { Decision } from '#shared/journal/entry.ts'
import type { ToldBefore } from '#shared/queue/told-events.ts'
import { type Sinks, sinkEntries } from '#sinks/open.ts'

type Decided = { decisions: Decision[]; effects: Effect[] }

/** Leaves of what was decided on `event` only what is due for each delivery, if another one told of it before. */
export async function withoutRepeats<D extends Decided>(event: GitLabEvent, decided: D, sinks: Sinks, toldBefore: ToldBefore): Promise<D> {
  const ofDeliveries = new Set<string>(sinkEntries(sinks).flatMap(([name, sink]) => (sink.ofDeliveries ? [name] : [])))
  const isOfEvent = ({ sink }: { sink: string }) => !ofDeliveries.has(sink)
  const earlier = decided.effects.some(isOfEvent) ? await toldBefore(event) : undefined
  if (earlier === undefined) return decided
  const reason = `the same event as ${earlier}`
  return {
    ...decided,
    effects: decided.effects.filter((effect) => !isOfEvent(effect)),
    decisions: decided.decisions.map((one) => (one.reason === undefined && isOfEvent(one) ? { ...one, reason } : one)),
  }
}

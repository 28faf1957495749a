// What a sink is: a place where events have consequences. It plans what should happen, without asking anybody, and
// performs one effect at a time; it never sees the queue, Redis or the environment.
import type { z } from 'zod'
import type { Outcome, Planned, PlannedEffect } from '#shared/event/effect.ts'
import type { GitLabEvent } from '#shared/event/event.ts'
import type { Json } from '#shared/event/json.ts'
import type { Fence } from '../../apps/worker/performer/fence.ts'

export type Context = {
  /** Surely the first time: nothing of this effect can exist yet, so it need not be looked for. */
  first: boolean
  /** When the event happened: nothing of this effect can exist from before. */
  since: Date
  signal: AbortSignal
  /** What the remote made for other effects with the same order, by the id it gave: not ours, however alike. */
  madeForOthers: () => Promise<Set<string>>
  /** What was made for this effect already, by the id that the remote gave it, as far as the ledger knows. */
  made: string | undefined
  /** Behind it the one call that cannot be undone is made. */
  fence: Fence
}

export type Sink = {
  /** What `event` should bring about here, or the reason why nothing. Pure. */
  plan: (event: GitLabEvent) => Planned
  /**
   * Makes it so; safe to run twice. May end in further effects. Throws `Unavailable`, `Refused`, `Permanent`, or any
   * other error for an attempt that failed.
   */
  perform: (data: Json, context: Context) => Promise<Outcome | PlannedEffect[]>
}

type Parts<D> = {
  data: z.ZodType<D>
  plan: (event: GitLabEvent) => Planned
  perform: (data: D, context: Context) => Promise<Outcome | PlannedEffect[]>
}

/** A sink whose effects carry data of the shape `data`, read before they are performed. */
export function sink<D>({ data: schema, plan, perform }: Parts<D>): Sink {
  return { plan, perform: async (data, context) => perform(schema.parse(data), context) }
}

// What a sink is: one declaration of a place where events have consequences. It plans what should happen, without asking
// anybody, and performs one effect at a time; it never sees the queue, Redis or the environment. All else is derived:
// queues, variables, status, replay, dry runs, doctor.
import type { z } from 'zod'
import type { Outcome, PlannedEffect } from '#shared/event/effect.ts'
import type { GitLabEvent } from '#shared/event/event.ts'
import type { Json } from '#shared/process/json.ts'
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'
import type { Publication, Relay } from '#shared/queue/relay.ts'
import type { Context } from './context.ts'
import type { Finding } from './finding.ts'
import type { PublishedAt } from './published-at.ts'
import type { Remote } from './remote.ts'
import type { Shortfall } from './shortfall.ts'
import type { Order, PartOf, Repeat, WaitsFor } from './terms.ts'
import { type Settings, type SettingsOf, settingsOf, type Variables } from './variables.ts'

/** What a sink may use of its process. */
export type Parts = { redact: (text: string) => string; log: Log; metrics: Registry; relay: Relay; publishedAt: PublishedAt }

/** Effects as a sink plans them, of its own unless they name another; or in words why there are none. */
type Plan = Array<Omit<PlannedEffect, 'sink'> & { sink?: string }> | { nothing: string }

type Declared<N extends string, V extends Variables, D, O> = {
  /** Its name, and that of its queue: lower case letters and dashes. It stays, since jobs and rows carry it. */
  name: N
  /** On where nobody says which sinks are. A new sink is off until it is named. */
  byDefault?: true
  partOf?: PartOf
  /** What people call what it makes, such as `comment`; without it, it is not told of in summaries. */
  makes?: string
  variables: V
  remotes: Array<Remote<Partial<SettingsOf<V>>>>
  repeat: Repeat
  order: Order
  /** It tells of deliveries: two hooks that tell of the same event are two effects. */
  ofDeliveries?: true
  waitsFor?: WaitsFor
  /**
   * Names what an effect looks at before it writes there: of effects with the same name none passes its fence while another is
   * at work, or when another has passed since it was prepared. It is prepared again then.
   */
  alone?: (data: D, opened: O) => string | undefined
  /** What an effect carries. */
  data: z.ZodType<D>
  /** Made once a process, and given to the functions below. */
  open: (parts: Parts & { settings: SettingsOf<V> }) => O
  /** What `event` should bring about here, or the reason why nothing. Pure. */
  plan: (event: GitLabEvent, opened: O) => Plan
  /** The effect `about`, planned again since its job is gone, where `plan` does not tell of all there may be. */
  replan?: (event: GitLabEvent, about: string, opened: O) => Plan
  /**
   * Makes it so. May end in further effects. Throws `Unavailable`, `Refused`, `Permanent`, or any other error for an attempt
   * that failed. The call that cannot be undone is handed `context.fence`.
   */
  perform: (data: D, context: Context, opened: O) => Promise<Outcome | PlannedEffect[]>
  /** The message that performing it publishes, and nothing else: the router may do so by itself where the effect is new. */
  publication?: (data: D) => Publication
  /** In words what performing does at most: `comment on T12`. */
  wouldDo: (data: D) => string
  /** What the doctor asks beside the variables and clocks, under the name `id`; `remedy` is for when it fails. */
  check?: Check<Partial<SettingsOf<V>>>
  /** What a metric and the doctor count among its outcomes. */
  shortfalls?: Shortfall[]
}

type Check<S> = { id: string; ask: (settings: S, signal: AbortSignal) => Promise<Finding[]>; remedy: string }

/** A sink at work. */
export type Sink = {
  repeat: Repeat
  order: Order
  waitsFor?: WaitsFor | undefined
  shortfalls: Shortfall[]
  ofDeliveries: boolean
  /** It calls remotes, so that a dry run keeps it from that. */
  changesOthers: boolean
  alone: (data: Json) => string | undefined
  plan: (event: GitLabEvent) => PlannedEffect[] | { nothing: string }
  replan: (event: GitLabEvent, about: string) => PlannedEffect[] | { nothing: string }
  perform: (data: Json, context: Context) => Promise<Outcome | PlannedEffect[]>
  publication?: ((data: Json) => Publication) | undefined
  /** Undefined when the data is not of this sink's shape. */
  wouldDo: (data: Json) => string | undefined
}

/** A declaration, as everybody but the sink itself sees it. */
export type Declaration<N extends string = string> = {
  name: N
  byDefault: boolean
  partOf: PartOf | undefined
  makes: string | undefined
  variables: Variables
  /** With an address where it is known. */
  remotesAt: (settings: Settings) => Array<{ name: string; title?: string; url: string | undefined }>
  repeat: Repeat
  order: Order
  waitsFor: WaitsFor | undefined
  open: (parts: Parts, settings: Settings) => Sink
  check: Check<Settings> | undefined
  shortfalls: Shortfall[]
}

/** The declaration of a sink. `over` makes one at work of what `open` would have made. */
export function defineSink<const N extends string, const V extends Variables, D, O>(
  declared: Declared<N, V, D, O>,
): Declaration<N> & { over: (opened: O) => Sink } {
  const { name, partOf, makes, variables, remotes, repeat, order, waitsFor, data: schema, publication, check } = declared
  const { byDefault = false, ofDeliveries = false, shortfalls = [] } = declared
  const readAs = <T>(data: Json, of: (read: D) => T) => {
    const read = schema.safeParse(data)
    return read.success ? of(read.data) : undefined
  }
  const named = (plan: Plan) => (Array.isArray(plan) ? plan.map((effect) => ({ sink: name, ...effect })) : plan)

  function over(opened: O): Sink {
    return {
      repeat,
      order,
      waitsFor,
      shortfalls,
      ofDeliveries,
      changesOthers: remotes.length > 0,
      alone: (data) => readAs(data, (read) => declared.alone?.(read, opened)),
      plan: (event) => named(declared.plan(event, opened)),
      replan: (event, about) => named(declared.replan?.(event, about, opened) ?? declared.plan(event, opened)),
      perform: async (data, context) => declared.perform(schema.parse(data), context, opened),
      publication: publication && ((data) => publication(schema.parse(data))),
      wouldDo: (data) => readAs(data, declared.wouldDo),
    }
  }

  return {
    name,
    byDefault,
    partOf,
    makes,
    variables,
    repeat,
    order,
    waitsFor,
    shortfalls,
    over,
    remotesAt: (settings) => remotes.map(({ at, ...named }) => ({ ...named, url: at(settingsOf(variables, settings)) })),
    // Whoever opens it has seen to it that all are there.
    open: (parts, settings) => over(declared.open({ ...parts, settings: settingsOf(variables, settings) as SettingsOf<V> })),
    check: check && { ...check, ask: (settings, signal) => check.ask(settingsOf(variables, settings), signal) },
  }
}

// The dry run of a replay: what each dead letter would do now. Its sink performs it in a dry run, which looks at the remote
// as a replay would and stops right before the call that changes something.
import { setTimeout as pause } from 'node:timers/promises'
import { aboutOfEffect, type Effect, effectSchema, effectsOf } from '#shared/event/effect.ts'
import { router } from '#shared/journal/entry.ts'
import { inWords, Permanent } from '#shared/process/errors.ts'
import { type Ledger, openLedger } from '#shared/queue/ledger.ts'
import { closedFence } from '#sinks/closed-fence.ts'
import { repeatOf } from '#sinks/history.ts'
import type { Sinks } from '#sinks/open.ts'
import { declarationOf, sinkOf } from '#sinks/registry.ts'
import { missingFor } from '#sinks/settings.ts'
import type { OpsContext } from '../../context.ts'
import { drySinks } from '../../dry-sinks.ts'
import { chosenDead, type Selection } from '../selection.ts'
import { effectAnew } from './anew.ts'
import { noSink } from './put-back.ts'

/** `would` says it in words: `would comment on T12`, `already there: nothing`. */
export type Plan = { id: string; sink: string; would: string }

/** `interrupted`: not all of those chosen, at least `chosen`, were looked at. */
export type ReplayPlan = { plans: Plan[]; chosen: number; interrupted: boolean }

type Options = { rate: number; signal: AbortSignal; onProgress?: (done: number, of: number) => void }
type Looking = { context: OpsContext; sinks: Sinks; ledger: Ledger; signal: AbortSignal }

/** What a replay of `selection` would do, in its order; `rate` is in effects a second, since the remotes are asked for each. */
export async function planReplay(
  context: OpsContext,
  selection: Selection,
  { rate, signal, onProgress = () => undefined }: Options,
): Promise<ReplayPlan> {
  const looking = { context, sinks: drySinks(context), ledger: openLedger(context), signal }
  const plans: Plan[] = []
  let chosen = 0
  for await (const page of chosenDead(context.database, selection)) {
    chosen += page.length
    for (const { id } of page) {
      const next = Date.now() + 1000 / rate
      const plan = await planOne(looking, id)
      // Whatever was looked up then was cut off.
      if (signal.aborted) return { plans, chosen, interrupted: true }
      plans.push(plan)
      onProgress(plans.length, chosen)
      await pause(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => undefined)
    }
  }
  return { plans, chosen, interrupted: false }
}

async function planOne({ context, sinks, ledger, signal }: Looking, id: string): Promise<Plan> {
  const row = await context.database.selectFrom('effects').select(['id', 'delivery', 'sink']).where('id', '=', id).executeTakeFirstOrThrow()
  if (row.sink === router) return { id, sink: router, would: 'would send the whole delivery through again' }
  const sink = sinkOf(row.sink)
  if (sink === undefined) return { id, sink: row.sink, would: `nothing can be done: ${noSink(row.sink)}` }
  const job = await context.queues[sink].getJob(id)
  const kept = effectSchema.safeParse(job?.data)
  const effect = kept.success ? kept.data : await effectAnew(context, sinks, { ...row, sink })
  if ('lost' in effect) return { id, sink, would: `nothing can be done: ${effect.lost}` }
  return { id, sink, would: await wouldDo({ context, sinks, ledger, signal }, effect) }
}

async function wouldDo(looking: Looking, effect: Effect): Promise<string> {
  const { context, sinks, ledger, signal } = looking
  const name = sinkOf(effect.sink)
  const sink = name && sinks[name]
  const declaration = declarationOf(effect.sink)
  if (!sink || !declaration) return 'nothing: its sink is not there'
  const would = `would ${sink.wouldDo(effect.data) ?? `do what was planned about ${aboutOfEffect(effect.id)}`}`
  if (sink.repeat === 'at-most-once') return `${would}, unless its call was begun before: it cannot be looked up`
  if (sink.repeat === 'at-least-once') return `${would}, perhaps once more: it cannot be looked up`
  const [missing] = missingFor(declaration, context.config.settings)
  if (missing) return `${would}, unless it is there already; without ${missing.name} that cannot be looked up`
  try {
    const history = repeatOf(effect)
    const ended = await sink.perform(effect.data, {
      history,
      made: history === 'maybe-done' ? await ledger.madeFor(effect) : undefined,
      since: new Date(effect.since),
      signal,
      madeForOthers: () => ledger.madeForOthers(effect),
      fence: closedFence,
      dryRun: true,
    })
    if (Array.isArray(ended)) {
      const further = await Promise.all(effectsOf(ended, effect).map((one) => wouldDo(looking, one)))
      return further.join('; ')
    }
    if (ended.state === 'done') return `already there${ended.link === undefined ? '' : ` (${ended.link})`}: nothing`
    return ended.would === undefined ? `nothing: ${ended.reason}` : `would ${ended.would}`
  } catch (error) {
    if (error instanceof Permanent) return `${would}, and fail again: ${inWords(error)}`
    return `${would}, unless it is there already; that could not be looked up: ${inWords(error)}`
  }
}

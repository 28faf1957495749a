// The call of a sink, as its declaration allows it: not again where it cannot look for what it made, not at all in a dry run.
import { type Effect, nothingDone, type Outcome, onlyWould, type PlannedEffect } from '#shared/event/effect.ts'
import { Permanent } from '#shared/process/errors.ts'
import { inSpan } from '#shared/process/spans.ts'
import type { Ledger } from '#shared/queue/ledger.ts'
import type { Lock } from '#shared/queue/lock.ts'
import { closedFence } from '#sinks/closed-fence.ts'
import type { History } from '#sinks/history.ts'
import type { Sink } from '#sinks/sink.ts'
import type { Crossing } from './fence.ts'

/**
 * What is known of a job before it is run: `made` is what the ledger has for it, `begun` why it must not be performed again,
 * `late` what it waited for in vain.
 */
export type Prepared = {
  effect: Effect
  attempts: number
  lock: Lock
  crossing: Crossing
  history: History
  made: string | undefined
  begun: string | undefined
  late: string | undefined
}

type Parts = { name: string; sink: Sink; ledger: Ledger; dryRun: boolean }

/** What performs the effects of the sink `name`. */
export function performing({ name, sink, ledger, dryRun }: Parts) {
  const isDry = dryRun && sink.changesOthers

  return async function perform(prepared: Prepared, signal: AbortSignal): Promise<Outcome | PlannedEffect[]> {
    const { effect, attempts } = prepared
    const attributes = { delivery: effect.delivery, effect: effect.id, sink: name, attempt: attempts }
    return await inSpan('perform', { cause: effect.traceparent, attributes }, async ({ note }) => {
      const ended = await attempt(prepared, signal)
      note({ outcome: Array.isArray(ended) ? 'brought more' : ended.state })
      return ended
    })
  }

  async function attempt({ effect, crossing, history, made, begun }: Prepared, signal: AbortSignal): Promise<Outcome | PlannedEffect[]> {
    if (begun !== undefined) return nothingDone(begun)
    if (isDry && sink.repeat !== 'look') return onlyWould(sink.wouldDo(effect.data) ?? `do what was planned about ${effect.id}`)
    const since = new Date(effect.since)
    const fence = isDry ? closedFence : crossing.fence
    const context = { history, made, since, signal, fence, dryRun: isDry, madeForOthers: () => ledger.madeForOthers(effect) }
    const ended = await sink.perform(effect.data, context)
    if (sink.repeat === 'at-most-once' && !crossing.passed() && !Array.isArray(ended) && ended.state === 'done')
      throw new Permanent(`The sink ${name} has made it without its fence: nobody would know if it came again.`)
    return ended
  }
}

/** An outcome with one more reason, if there is one. */
export function withReason(outcome: Outcome, reason: string | undefined): Outcome {
  if (reason === undefined) return outcome
  return { ...outcome, reason: outcome.reason === undefined ? reason : `${outcome.reason}; ${reason}` }
}

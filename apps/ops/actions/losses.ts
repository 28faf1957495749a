// Losses that nobody has acknowledged yet: what happened, and what to type.
import { forgetLosses, type Loss, rememberedLosses } from '#shared/queue/losses.ts'
import { onRecord } from '../audit.ts'
import type { OpsContext } from '../context.ts'

/** `message` says what happened, `remedy` what to type. */
export type LossState = Loss & { id: string; message: string; remedy: string }

/** All of them, the earliest first. Rejects when Redis does not answer. */
export async function losses(context: Pick<OpsContext, 'redis' | 'prefix'>): Promise<LossState[]> {
  return (await rememberedLosses(context)).map((loss) => {
    const { message, remedy } = tell[loss.kind](loss)
    return { ...loss, message, remedy: `${remedy}; then bin/ops acknowledge ${loss.id} --reason …` }
  })
}

// A hook may come a minute after its event; what waits in a queue may have waited for days.
const hookMs = 60_000
const queueMs = 3 * 86_400_000

const tell: Record<Loss['kind'], (loss: Loss) => { message: string; remedy: string }> = {
  refused: ({ since, until, count = 0 }) => ({
    message: `${count} deliveries refused ${span(since, until)}, since neither Redis nor the spool took them`,
    remedy: `bin/ops reconcile --since ${moved(since, -hookMs)} --until ${moved(until, 1000)} --reason …`,
  }),
  'redis-empty': ({ since, until }) => ({
    message: `Redis has come back empty (${span(since, until)}): what waited in its queues is lost there`,
    remedy: `the journal and the event log have it: bin/ops import "$LOG_EVENTS_TO" --reason …, bin/ops redeliver --since ${moved(since, -queueMs)} --reason …, and pause again what was paused`,
  }),
  'database-empty': ({ since, until }) => ({
    message: `the database has come back empty (${span(since, until)}): the journal is lost`,
    remedy: 'load the last dump into it, then bin/ops import "$LOG_EVENTS_TO" --reason …: docs/run.md#restore',
  }),
}

function span(since: string, until: string): string {
  const [day, from] = [since.slice(0, 10), since.slice(11, 19)]
  return until.startsWith(day) ? `${day} ${from}–${until.slice(11, 19)} UTC` : `${day} ${from}–${until.slice(0, 19).replace('T', ' ')} UTC`
}

function moved(time: string, ms: number): string {
  return `${new Date(Date.parse(time) + ms).toISOString().slice(0, 19)}Z`
}

/** Forgets those with the `ids`, on record; those that there were. */
export async function acknowledge(context: OpsContext, ids: string[], reason: string): Promise<LossState[]> {
  const meant = (await losses(context)).filter(({ id }) => ids.includes(id))
  const details = { losses: meant.map(({ id, message }) => ({ id, message })) }
  await onRecord(context, { verb: 'acknowledge', reason, details }, async (tally) => {
    tally.count = await forgetLosses(
      context,
      meant.map(({ id }) => id),
    )
  })
  return meant
}

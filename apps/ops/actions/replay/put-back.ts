// Puts one dead letter back: its own job with a fresh budget where Redis has it, else the effect planned anew. Of two
// operators at once only one moves the job, since Redis does that in one step; the other finds it under way.
import type { Queue } from 'bullmq'
import { type Effect, effectSchema } from '#shared/event/effect.ts'
import { router } from '#shared/journal/entry.ts'
import { dispatcher } from '#shared/queue/dispatch.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import type { Sinks } from '#sinks/open.ts'
import { declarationOf, oneByOne, type SinkName, sinkOf } from '#sinks/registry.ts'
import type { OpsContext } from '../../context.ts'
import { redeliverOne } from '../redeliver.ts'
import { effectAnew } from './anew.ts'

/** A dead letter as it was when it was chosen. */
export type Letter = { effect: string; died: Date | null }

/**
 * `back`: on its way again, by us or by somebody else; `left`: no dead letter any more, or one that died again since;
 * `lost`: nothing can be made of it, for a reason.
 */
export type PutBack = { outcome: 'back'; queue: Queue; job: string } | { outcome: 'left' } | { outcome: 'lost'; reason: string }

/** What is said of an effect whose sink was here once. */
export const noSink = (name: string) => `there is no sink ${name} here any more`

/** Puts `letter` back. */
export async function putBack(context: OpsContext, sinks: Sinks, { effect: id, died }: Letter): Promise<PutBack> {
  const { database, queues } = context
  const row = await database
    .selectFrom('effects')
    .select(['id', 'delivery', 'sink', 'state', 'ended_at'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (row?.state !== 'dead' || row.ended_at?.getTime() !== died?.getTime()) return { outcome: 'left' }

  // The router's letters are whole deliveries.
  if (row.sink === router) {
    if (!(await redeliverOne(context, row.delivery))) return { outcome: 'lost', reason: 'the journal does not have its delivery any more' }
    await markPlanned(context, id, died)
    return { outcome: 'back', queue: queues.deliveries, job: deliveryJobId(row.delivery) }
  }
  const sink = sinkOf(row.sink)
  if (sink === undefined) return { outcome: 'lost', reason: noSink(row.sink) }
  const queue = queues[sink]
  const job = await queue.getJob(id)
  if (job === undefined) {
    // Another operator may have discarded it a moment ago: `discard` changes the row first and then removes the job.
    const now = await database.selectFrom('effects').select('state').where('id', '=', id).executeTakeFirst()
    if (now?.state !== 'dead') return { outcome: 'left' }
    const effect = await effectAnew(context, sinks, { ...row, sink })
    if ('lost' in effect) return { outcome: 'lost', reason: effect.lost }
    await dispatcher({ ...context, oneByOne })([effect], { later: await laterThan(context, sink, effect) })
  } else if (await job.isFailed()) {
    // Where nothing can be looked up, what is known of this job's runs decides.
    const again = declarationOf(sink)?.repeat === 'look' ? { again: true } : {}
    const effect = { ...effectSchema.parse(job.data), ...again }
    await context.lanes.putBack(effect, { later: await laterThan(context, sink, effect), isAlone: oneByOne.has(sink) })
  }
  await markPlanned(context, id, died)
  return { outcome: 'back', queue, job: id }
}

// The effects in its lane that came of later events, in order. It goes in front of them.
async function laterThan({ lanes, queues }: OpsContext, sink: SinkName, effect: Effect): Promise<string[]> {
  const later: string[] = []
  for (const id of oneByOne.has(sink) ? [] : await lanes.waiting(effect)) {
    const job = await queues[sink].getJob(id)
    const other = effectSchema.safeParse(job?.data)
    if (other.success && other.data.since > effect.since) later.push(id)
  }
  return later
}

// Only if the row still shows the death that was put back. If the effect has ended again meanwhile, that counts.
async function markPlanned({ database }: OpsContext, id: string, died: Date | null): Promise<void> {
  const planned = { state: 'planned', reason: null, error: null } as const
  const query = database.updateTable('effects').set(planned).where('id', '=', id).where('state', '=', 'dead')
  await query.where('ended_at', died === null ? 'is' : '=', died).execute()
}

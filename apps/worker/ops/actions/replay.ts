// `replay`: puts dead letters back with a fresh budget, in the order of their events, at most so many a second, and
// stops by itself when most of them fail again. What was chosen is fixed when it starts; what is put back is no dead
// letter any more, so the same command goes on where it was interrupted.
import { setTimeout as pause } from 'node:timers/promises'
import { effectSchema } from '#shared/effect.ts'
import type { SinkName } from '#shared/queues.ts'
import type { Place } from '../place.ts'
import { redeliver } from './redeliver.ts'

export type Plan = { id: string; sink: string; would: string }
export type Replayed = { chosen: number; replayed: number; failedAgain: number; stopped?: string }
type Options = { reason: string; rate: number; signal: AbortSignal; onProgress: (done: number, chosen: number) => void }

const lookedAt = 20
const lookEveryMs = 50

/** What a replay of the effects `ids` would do. */
export async function planReplay({ database }: Place, ids: string[]): Promise<Plan[]> {
  const plans: Plan[] = []
  for (const id of ids) {
    const row = await database
      .selectFrom('effects')
      .select(['sink', 'task', 'order_key'])
      .where('id', '=', id)
      .where('state', '=', 'dead')
      .executeTakeFirst()
    if (row) plans.push({ id, sink: row.sink, would: would(row) })
  }
  return plans
}

function would({ sink, task, order_key: order }: { sink: string; task: number | null; order_key: string }): string {
  if (task !== null) return `comment on T${task}, unless the comment is there`
  if (sink === 'gitlab-mentions') return `mention who is not yet mentioned on ${order}`
  return sink === 'commits' ? `read the commits of ${order}` : 'publish, unless it was'
}

/** Replays the effects `ids`. `rate` is in effects a second. Ends early when `signal` aborts. */
export async function replay(place: Place, ids: string[], { reason, rate, signal, onProgress }: Options): Promise<Replayed> {
  const result: Replayed = { chosen: ids.length, replayed: 0, failedAgain: 0 }
  const underWay: Array<{ id: string; sink: SinkName }> = []
  const latest: boolean[] = []

  async function settle(most: number): Promise<void> {
    while (underWay.length > most && !signal.aborted) {
      const [first] = underWay
      const state = first ? await place.queues[first.sink].getJobState(first.id) : undefined
      if (state === 'completed' || state === 'failed' || state === 'unknown') {
        underWay.shift()
        latest.push(state === 'failed')
        if (latest.length > lookedAt) latest.shift()
        if (state === 'failed') result.failedAgain += 1
      } else await pause(lookEveryMs)
    }
  }

  for (const id of ids) {
    const started = Date.now()
    if (signal.aborted) result.stopped = 'interrupted'
    else if (latest.filter((failed) => failed).length > lookedAt / 2) result.stopped = `more than half of the last ${lookedAt} failed again`
    if (result.stopped !== undefined) break
    const sink = await putBack(place, id, reason)
    if (sink !== undefined) {
      result.replayed += 1
      underWay.push({ id, sink })
    }
    onProgress(result.replayed, ids.length)
    await settle(lookedAt)
    await pause(Math.max(0, 1000 / rate - (Date.now() - started)))
  }
  if (ids.length <= lookedAt) await settle(0)
  await place.record('replay', reason, { effects: ids.slice(0, 100), ...result }, result.replayed)
  return result
}

// The queue it was put back into; undefined when it is no dead letter (any more): somebody else may have been faster.
async function putBack(place: Place, id: string, reason: string): Promise<SinkName | undefined> {
  const { database, queues, lanes } = place
  const taken = await database
    .updateTable('effects')
    .set({ state: 'planned', reason: null, error: null })
    .where('id', '=', id)
    .where('state', '=', 'dead')
    .executeTakeFirst()
  if (taken.numUpdatedRows === 0n) return undefined
  const { sink, delivery } = await database
    .selectFrom('effects')
    .select(['sink', 'delivery'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const name = effectSchema.shape.sink.parse(sink)
  const job = await queues[name].getJob(id)
  if (job === undefined) await redeliver(place, [delivery], reason)
  else if (await job.isFailed()) {
    const effect = { ...effectSchema.parse(job.data), again: true }
    await lanes.enter(effect)
    await job.updateData(effect)
    await job.retry('failed', { resetAttemptsMade: true })
  }
  return name
}

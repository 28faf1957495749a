// The dry run of a replay: what each dead letter would do now. Its sink performs it in a dry run, which looks at the remote
// as a replay would and stops right before the call that changes something.
import { setTimeout as pause } from 'node:timers/promises'
import { type Effect, effectSchema, effectsOf } from '#shared/event/effect.ts'
import { publishedAt } from '#shared/journal/published.ts'
import { inWords, Permanent } from '#shared/process/errors.ts'
import { type Ledger, openLedger } from '#shared/queue/ledger.ts'
import { openRelay } from '#shared/queue/relay.ts'
import type { Sinks } from '#sinks/registry.ts'
import type { Fence } from '../../../worker/performer/fence.ts'
import type { Place } from '../../context.ts'
import { drySinks } from '../../dry-sinks.ts'
import { chosenDead, type Selection } from '../../selection.ts'
import { effectAnew } from './anew.ts'
import { sinkOf } from './put-back.ts'

/** `would` says it in words: `would comment on T12`, `already there: nothing`. */
export type Plan = { id: string; sink: string; would: string }

/** `interrupted`: not all of those chosen, at least `chosen`, were looked at. */
export type Planned = { plans: Plan[]; chosen: number; interrupted: boolean }

type Options = { rate: number; signal: AbortSignal; onProgress?: (done: number, of: number) => void }
type Looking = { place: Place; sinks: Sinks; ledger: Ledger; signal: AbortSignal }

/** What a replay of `selection` would do, in its order; `rate` is in effects a second, since the remotes are asked for each. */
export async function planReplay(
  place: Place,
  selection: Selection,
  { rate, signal, onProgress = () => undefined }: Options,
): Promise<Planned> {
  const looking = { place, sinks: drySinks(place), ledger: openLedger(place), signal }
  const plans: Plan[] = []
  let chosen = 0
  for await (const page of chosenDead(place.database, selection)) {
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

async function planOne({ place, sinks, ledger, signal }: Looking, id: string): Promise<Plan> {
  const row = await place.database
    .selectFrom('effects')
    .select(['id', 'delivery', 'sink', 'task'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const sink = sinkOf(row.sink)
  if (sink === undefined) return { id, sink: row.sink, would: 'would send the whole delivery through again' }
  const job = await place.queues[sink].getJob(id)
  const kept = effectSchema.safeParse(job?.data)
  const effect = kept.success ? kept.data : await effectAnew(place, sinks, { ...row, sink })
  if ('lost' in effect) return { id, sink, would: `nothing can be done: ${effect.lost}` }
  return { id, sink, would: await wouldDo({ place, sinks, ledger, signal }, effect) }
}

async function wouldDo(looking: Looking, effect: Effect): Promise<string> {
  const { place, sinks, ledger, signal } = looking
  const missing = missingFor(effect.sink, place)
  if (missing !== undefined) return `would ${atMost(effect)}, unless it is there already; without ${missing} that cannot be looked up`
  if (effect.sink === 'sse') return await wouldPublish(place, effect)
  try {
    const ended = await sinks[effect.sink]?.perform(effect.data, {
      first: false,
      made: effect.anew === true ? undefined : await ledger.madeFor(effect),
      since: new Date(effect.since),
      signal,
      madeForOthers: () => ledger.madeForOthers(effect),
      fence: closed,
    })
    if (Array.isArray(ended)) {
      const further = await Promise.all(effectsOf(ended, effect).map((one) => wouldDo(looking, one)))
      return further.join('; ')
    }
    if (ended === undefined) return 'nothing: its sink is not there'
    if (ended.state === 'done') return `already there${ended.link === undefined ? '' : ` (${ended.link})`}: nothing`
    return ended.would === undefined ? `nothing: ${ended.reason}` : `would ${ended.would}`
  } catch (error) {
    if (error instanceof Permanent) return `would ${atMost(effect)}, and fail again: ${inWords(error)}`
    return `would ${atMost(effect)}, unless it is there already; that could not be looked up: ${inWords(error)}`
  }
}

const closed: Fence = {
  limitMs: 0,
  pass: () => Promise.reject(new Error('A dry run changes nothing.')),
  answered: () => undefined,
  undone: () => undefined,
}

async function wouldPublish({ config, database, redis, prefix }: Place, { delivery }: Effect): Promise<string> {
  const relay = openRelay({ redis, prefix, keep: config.feedKeep })
  const isThere = (await relay.has(delivery)) || (await publishedAt(database)(delivery)) !== undefined
  return isThere ? 'already published: nothing' : 'would publish'
}

function missingFor(sink: Effect['sink'], { config }: Place): string | undefined {
  if (sink === 'phabricator' && config.phabricatorToken === undefined) return 'PHABRICATOR_TOKEN'
  return sink === 'gitlab-mentions' || sink === 'commits' ? (config.gitlabToken === undefined ? 'GITLAB_TOKEN' : undefined) : undefined
}

function atMost({ sink, id, order }: Effect): string {
  const about = decodeURIComponent(id.split('/').at(-1) ?? '')
  if (sink === 'phabricator') return `comment on ${about}`
  return sink === 'gitlab-mentions' ? `mention reviewers on ${order}` : `read the commits of ${order}`
}

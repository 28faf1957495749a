// An effect whose job is gone, as after the loss of Redis, is planned anew from the delivery in the journal: this one
// effect, and none of the others that came of the delivery.
import { originOf } from '#shared/event/delivery.ts'
import { type Effect, effectsOf, type PlannedEffect } from '#shared/event/effect.ts'
import { type GitLabEvent, parseEvent } from '#shared/event/event.ts'
import { bodyOf } from '#shared/journal/body.ts'
import { readHeaders } from '#shared/journal/headers.ts'
import { inWords } from '#shared/process/errors.ts'
import type { SinkName } from '#shared/queue/queues.ts'
import { commentOn } from '#sinks/phabricator/comment.ts'
import { commentEffects } from '#sinks/phabricator/sink.ts'
import type { Sinks } from '#sinks/registry.ts'
import type { Place } from '../../context.ts'

type Wanted = { id: string; delivery: string; sink: SinkName; task: number | null }

/** The effect as its sink plans it today, to be looked up before it is performed; or in words why there is none. */
export async function effectAnew({ database, config }: Place, sinks: Sinks, wanted: Wanted): Promise<Effect | { lost: string }> {
  const row = await database
    .selectFrom('deliveries')
    .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
    .select(['received_at', 'origin', 'headers', 'body'])
    .where('id', '=', wanted.delivery)
    .executeTakeFirst()
  if (!row) return { lost: 'its job is gone, and the journal does not have its delivery any more' }
  try {
    const headers = readHeaders(row.headers)
    const origin = originOf(row.origin)
    const delivery = {
      id: wanted.delivery,
      origin,
      receivedAt: row.received_at.toISOString(),
      headers,
      body: await bodyOf(row.body),
      again: true,
    }
    const event = parseEvent(delivery)
    const planned = plan(event, sinks, wanted, config.gitlabUrl)
    const effect = effectsOf(planned, event).find(({ id }) => id === wanted.id)
    return effect ?? { lost: 'its job is gone, and as things are configured now its sink plans no such effect' }
  } catch (error) {
    return { lost: `its job is gone, and it cannot be planned anew: ${inWords(error)}` }
  }
}

// A task may have been named by a commit, which only GitLab can tell; the comment is the same wherever it was named.
function plan(event: GitLabEvent, sinks: Sinks, { sink, task }: Wanted, gitlabUrl: string): PlannedEffect[] {
  const { mergeRequest } = event
  if (sink === 'phabricator' && task !== null && mergeRequest) {
    return commentEffects(commentOn(event, mergeRequest, gitlabUrl), mergeRequest, [task])
  }
  const planned = sinks[sink]?.plan(event)
  return Array.isArray(planned) ? planned : []
}

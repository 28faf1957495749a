// The feed's messages: each event of a public project, without what privacy takes away, appended to the relay once.
import { z } from 'zod'
import { nothing } from '#shared/effect.ts'
import { messageOf } from '#shared/message.ts'
import { whyPrivate } from '#shared/privacy.ts'
import type { Link, Relay } from '#shared/relay.ts'
import { type Sink, sink } from './sink.ts'

const dataSchema = z.object({ id: z.string(), message: z.string() })

/** The place where the message of a delivery was published once, as far as the journal knows and can be asked. */
export type PublishedAt = (delivery: string) => Promise<Link | undefined>

/**
 * The sink that publishes on `relay`; events of projects that are not public only with `feedPrivate`. What was published
 * on a relay that was lost since keeps its cursor: no subscriber sees it twice.
 */
export function sse({ relay, publishedAt, feedPrivate }: { relay: Relay; publishedAt: PublishedAt; feedPrivate: boolean }): Sink {
  return sink({
    data: dataSchema,

    plan(event) {
      const reason = whyPrivate(event, feedPrivate)
      if (reason !== undefined) return nothing(reason)
      return [{ sink: 'sse', about: 'message', order: 'feed', data: { id: event.delivery, message: messageOf(event) } }]
    },

    async perform({ id, message }, { first }) {
      const earlier = first ? undefined : await publishedAt(id)
      const { cursor, previous } = await relay.publish(id, message, earlier)
      return { state: 'done', made: cursor, previous }
    },
  })
}

// The feed's messages: each event of a public project, without what privacy takes away, appended to the relay once.
import { z } from 'zod'
import { nothing } from '#shared/event/effect.ts'
import { messageOf } from '#shared/event/message.ts'
import { whyPrivate } from '#shared/event/privacy.ts'
import { aboutOf, readAbout, writeAbout } from '#shared/queue/hidden-projects.ts'
import type { Link, Relay } from '#shared/queue/relay.ts'
import { type Sink, sink } from '#sinks/sink.ts'

const dataSchema = z.object({ id: z.string(), message: z.string(), about: z.string().optional(), isPublic: z.boolean().optional() })

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
      const about = aboutOf(event)
      const subject = about ? { about: writeAbout(about), isPublic: event.visibility === 'public' } : {}
      return [{ sink: 'sse', about: 'message', order: 'feed', data: { id: event.delivery, message: messageOf(event), ...subject } }]
    },

    async perform({ id, message, about, isPublic = false }, { first }) {
      const earlier = first ? undefined : await publishedAt(id)
      const { cursor, previous } = await relay.publish(
        id,
        message,
        earlier,
        about === undefined ? undefined : { about: readAbout(about), isPublic },
      )
      return { state: 'done', made: cursor, previous }
    },
  })
}

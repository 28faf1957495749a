// The feed's messages: each event of a public project, without what privacy takes away, appended to the relay once.
import { z } from 'zod'
import { nothing } from '#shared/effect.ts'
import type { Relay } from '#shared/relay.ts'
import { forThePublic, whyPrivate } from './privacy.ts'
import { type Sink, sink } from './sink.ts'

const dataSchema = z.object({ id: z.string(), message: z.string() })

/** The sink that publishes on `relay`; events of projects that are not public only with `feedPrivate`. */
export function sse({ relay, feedPrivate }: { relay: Relay; feedPrivate: boolean }): Sink {
  return sink({
    data: dataSchema,

    plan(event) {
      const reason = whyPrivate(event, feedPrivate)
      if (reason !== undefined) return nothing(reason)
      const { delivery: id, receivedAt: dt, kind, body } = event
      const message = JSON.stringify({ ...forThePublic(body), meta: { id, dt, kind, stream: 'gitlab-webhooks' } })
      return [{ sink: 'sse', about: 'message', order: 'feed', data: { id, message } }]
    },

    async perform({ id, message }) {
      return { state: 'done', made: await relay.publish(id, message) }
    },
  })
}

// The feed's messages: each event of a public project, without what privacy takes away, appended to the relay once.
import { z } from 'zod'
import { feedOrder, nothing, onlyWould } from '#shared/event/effect.ts'
import { messageOf } from '#shared/event/message.ts'
import { privateIsPublished, whyPrivate } from '#shared/event/privacy.ts'
import { yesOrNo } from '#shared/process/env.ts'
import { aboutOf, readAbout, writeAbout } from '#shared/queue/hidden-projects.ts'
import type { Publication } from '#shared/queue/relay.ts'
import { gitlabAddress } from '#sinks/gitlab/variables.ts'
import { defineSink } from '#sinks/sink.ts'
import { variable } from '#sinks/variables.ts'

const dataSchema = z.object({ id: z.string(), message: z.string(), about: z.string().optional(), isPublic: z.boolean().optional() })

function publicationOf({ id, message, about, isPublic = false }: z.output<typeof dataSchema>): Publication {
  return { id, message, ...(about !== undefined && { subject: { about: readAbout(about), isPublic } }) }
}

/**
 * Publishes on the relay; events of projects that are not public only with `FEED_PRIVATE`. What was published on a relay that
 * was lost since keeps its cursor: no subscriber sees it twice.
 */
export const feed = defineSink({
  name: 'sse',
  byDefault: true,
  makes: 'feed message',
  variables: { ...gitlabAddress, FEED_PRIVATE: variable(yesOrNo.default(false)) },
  remotes: [],
  repeat: 'look',
  order: 'one-by-one',
  ofDeliveries: true,
  data: dataSchema,

  open({ relay, publishedAt, log, settings }) {
    if (settings.FEED_PRIVATE) log.warn(privateIsPublished)
    return { relay, publishedAt, feedPrivate: settings.FEED_PRIVATE, gitlabUrl: settings.GITLAB_URL }
  },

  plan(event, { feedPrivate, gitlabUrl }) {
    const reason = whyPrivate(event, feedPrivate)
    if (reason !== undefined) return nothing(reason)
    const about = aboutOf(event)
    const subject = about ? { about: writeAbout(about), isPublic: event.visibility === 'public' } : {}
    return [{ about: 'message', order: feedOrder, data: { id: event.delivery, message: messageOf(event, gitlabUrl), ...subject } }]
  },

  publication: publicationOf,

  async perform(data, { history, dryRun }, { relay, publishedAt }) {
    const { id, message, subject } = publicationOf(data)
    const earlier = history === 'new' ? undefined : await publishedAt(id)
    if (dryRun) return earlier !== undefined || (await relay.has(id)) ? { state: 'done' } : onlyWould('publish')
    const { cursor, previous } = await relay.publish(id, message, earlier, subject)
    return { state: 'done', made: cursor, previous }
  },

  wouldDo: () => 'publish',
})

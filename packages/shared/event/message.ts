// A message of the feed: what the public may see of an event, made when it is published, and made anew, by the rules of
// that day, when the feed's history is read.

import { type Json, type JsonObject, readObject } from '#shared/process/json.ts'
import { type GitLabEvent, parseEvent } from './event.ts'
import { forThePublic } from './privacy.ts'

/** One line of JSON: the payload as GitLab sent it, less what is nobody's business, and `meta`. */
export function messageOf({ delivery: id, receivedAt: dt, kind, origin, body }: GitLabEvent): string {
  const marked = origin === 'reconciled' || origin === 'canary'
  return JSON.stringify({ ...forThePublic(body), meta: { id, dt, kind, stream: 'gitlab-webhooks', ...(marked && { origin }) } })
}

/** What messages are chosen by. `receivedAt` is in ms since 1970. */
export type MessageFacts = {
  kind: string
  action: string | undefined
  project: string | undefined
  projectId?: number | undefined
  receivedAt: number
}

/** The facts of a message, as the event says them that it was made of. */
export function factsOf(message: string): MessageFacts {
  const { dt } = metaOf(readObject(message)?.meta)
  const told = typeof dt === 'string' ? Date.parse(dt) : Number.NaN
  const receivedAt = Number.isNaN(told) ? 0 : told
  const { kind, action, project } = parseEvent({
    id: '',
    receivedAt: new Date(receivedAt).toISOString(),
    headers: {},
    body: message,
  })
  return { kind, action, project: project?.path, projectId: project?.id, receivedAt }
}

function metaOf(meta: Json | undefined): JsonObject {
  return typeof meta === 'object' && meta !== null && !Array.isArray(meta) ? meta : {}
}

// A message of the feed: what the public may see of an event, made when it is published, and made anew, by the rules of
// that day, when the feed's history is read.

import { isObject, type JsonObject, readObject } from '#shared/process/json.ts'
import { type GitLabEvent, parseEvent } from './event.ts'
import { forThePublic } from './privacy.ts'
import { shorten } from './shorten.ts'

/**
 * By which rules messages are made. To be raised whenever the same body makes another message, or none: what was kept of others
 * is made anew then.
 */
export const messageRules = 1

/**
 * One line of JSON: the payload as GitLab sent it, less what is nobody's business, and at its end `meta`. `gitlabUrl` is the
 * address of the GitLab that it is from.
 */
export function messageOf(event: GitLabEvent, gitlabUrl: string): string {
  const { meta: _, ...shown } = forThePublic(event.body)
  return fitted(JSON.stringify({ ...shown, meta: metaOf(event, shown, gitlabUrl) }))
}

// A line of the feed is at most 64 KiB, with what goes before the message and the cursor that may stand in it; `meta.cut` takes
// its share, too.
const mostBytes = 64 * 1024 - 100
const forCut = 2500

/** The same message, cut where it is too long for a line of the feed; `meta.cut` names what was. */
export function fitted(message: string): string {
  if (3 * message.length <= mostBytes || Buffer.byteLength(message) <= mostBytes) return message
  const { meta: given, ...shown } = readObject(message) ?? {}
  const meta = isObject(given) ? given : {}
  const { payload, cut } = shorten(shown, mostBytes - forCut - Buffer.byteLength(JSON.stringify(meta)))
  return JSON.stringify({ ...payload, meta: { ...meta, cut } })
}

function metaOf({ delivery: id, receivedAt: dt, kind, origin }: GitLabEvent, shown: JsonObject, gitlabUrl: string): JsonObject {
  const domain = origin === 'canary' ? 'canary' : new URL(gitlabUrl).host
  const uri = addressOf(shown)
  return {
    id,
    dt,
    kind,
    stream: 'gitlab-webhooks',
    domain,
    ...(uri !== undefined && { uri }),
    $schema: `/schemas/${encodeURIComponent(kind.toWellFormed())}.json`,
    ...((origin === 'reconciled' || origin === 'canary') && { origin }),
  }
}

const address = /^https?:\/\/\S{1,2000}$/

// The page of what it is about, else that of the project.
function addressOf({ object_attributes, url, project, repository }: JsonObject): string | undefined {
  const [object, own, place] = [object_attributes, project, repository].map((part) => (isObject(part) ? part : {}))
  const told = [object?.url, object?.awarded_on_url, url, own?.web_url, own?.homepage, place?.homepage]
  return told.find((text): text is string => typeof text === 'string' && address.test(text))
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
  const meta = readObject(message)?.meta
  const dt = isObject(meta) ? meta.dt : undefined
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

// What of an event the public may see: whether it may be published at all, and what is taken out of it.
import type { GitLabEvent } from './event.ts'
import type { Json, JsonObject } from './json.ts'

const personal = /(^|_)(user|users|key|keys|group|groups|subgroup|subgroups|member|members|access|token|tokens|subscription)(_|$)/

/** Why `event` must not be on the feed; undefined when it may. */
export function whyPrivate({ kind, visibility, body }: GitLabEvent, feedPrivate: boolean): string | undefined {
  if (personal.test(kind)) return `events about users, keys, groups, members and access are never published (${kind})`
  if (isConfidential(body)) return 'it is confidential'
  if (visibility !== 'public' && !feedPrivate) return `the project is ${visibility}, or its visibility is not stated`
  return undefined
}

// What the event is about, or what was said there, may be secret in a public project, too.
function isConfidential(body: JsonObject): boolean {
  if (typeof body.event_type === 'string' && body.event_type.startsWith('confidential')) return true
  return Object.entries(body).some(([name, part]) => isObject(part) && isSecret(name, part))
}

function isSecret(name: string, part: JsonObject): boolean {
  return part.confidential === true || part.internal === true || (name === 'snippet' && part.visibility_level !== 20)
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const people = new Set([
  'user',
  'assignee',
  'assignees',
  'reviewer',
  'reviewers',
  'owner',
  'owners',
  'author_user',
  'sender',
  'approved_by',
])
const addresses = new Set(['user_email', 'owner_email', 'public_email', 'private_email', 'notification_email'])
const secret = /(^|_)(token|secret|password|private_key)$/

/**
 * The payload without what only its owner may tell: e-mail addresses of people's accounts, secrets, and a fork that is
 * not public. Addresses of commits' authors are public in the repository, and stay.
 */
export function forThePublic(payload: JsonObject): JsonObject {
  return cleanObject(payload, false)
}

function clean(value: Json, isPerson: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => clean(item, isPerson))
  return isObject(value) ? cleanObject(value, isPerson) : value
}

function cleanObject(object: JsonObject, isPerson: boolean): JsonObject {
  const kept = Object.entries(object).filter(([key, value]) => !isHidden(key, value, isPerson))
  return Object.fromEntries(kept.map(([key, value]) => [key, clean(value, isPerson || people.has(key))]))
}

function isHidden(key: string, value: Json, isPerson: boolean): boolean {
  if ((isPerson && key === 'email') || addresses.has(key) || secret.test(key)) return true
  return key === 'source' && isObject(value) && value.visibility_level !== 20
}

// What of an event the public may see: whether it may be published at all, and what is taken out of it.
import type { GitLabEvent } from '#shared/event.ts'
import type { Json, JsonObject } from '#shared/json.ts'

const personal = /(^|_)(user|users|key|keys|group|groups|member|members|access|token|tokens|subscription)(_|$)/

/** Why `event` must not be on the feed; undefined when it may. */
export function whyPrivate({ kind, visibility, body }: GitLabEvent, feedPrivate: boolean): string | undefined {
  if (personal.test(kind)) return `events about users, keys, groups, members and access are never published (${kind})`
  if (isConfidential(body)) return 'it is confidential'
  if (visibility !== 'public' && !feedPrivate) return `the project is ${visibility}, or its visibility is not stated`
  return undefined
}

function isConfidential({ event_type, object_attributes, issue }: JsonObject): boolean {
  if (typeof event_type === 'string' && event_type.startsWith('confidential')) return true
  return [object_attributes, issue].some((part) => flag(part, 'confidential') || flag(part, 'internal'))
}

function flag(part: Json | undefined, name: string): boolean {
  return typeof part === 'object' && part !== null && !Array.isArray(part) && part[name] === true
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
  return typeof value === 'object' && value !== null ? cleanObject(value, isPerson) : value
}

function cleanObject(object: JsonObject, isPerson: boolean): JsonObject {
  const kept = Object.entries(object).filter(([key, value]) => !isHidden(key, value, isPerson))
  return Object.fromEntries(kept.map(([key, value]) => [key, clean(value, people.has(key))]))
}

function isHidden(key: string, value: Json, isPerson: boolean): boolean {
  if ((isPerson && key === 'email') || addresses.has(key) || secret.test(key)) return true
  return key === 'source' && typeof value === 'object' && value !== null && !Array.isArray(value) && value.visibility_level !== 20
}

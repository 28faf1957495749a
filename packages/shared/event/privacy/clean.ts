// Takes out of a body what only its owner may tell. What is clean already is not copied: most of a body is.
import { isObject, type Json, type JsonObject } from '#shared/process/json.ts'
import { withoutFormer } from './change.ts'
import { namesOnly, withoutAccounts } from './fields.ts'
import { wasHidden } from './judge.ts'
import { comesFromHidden, isOthers, type Own, ownOf } from './others.ts'
import { type Roles, rolesOf } from './roles.ts'

/** `hidesFork`: the merge request that this is about, or that it is part of, comes from a project that is not public. */
type Place = {
  own: Own
  isTop: boolean
  isAmongPeople: boolean
  isInCommit: boolean
  isCommitAuthor: boolean
  isChanges: boolean
  hidesFork: boolean
}

/**
 * The payload without what only its owner may tell: e-mail addresses of people's accounts, secrets, values of variables,
 * accounts in URLs, what is said of a time when it was confidential, and what belongs to other projects that are not
 * public. Addresses of commits' authors are public in the repository, and stay.
 */
export function forThePublic(payload: JsonObject): JsonObject {
  const own = ownOf(payload)
  const hidesFork = [payload.object_attributes, payload.merge_request].some((part) => isObject(part) && comesFromHidden(part, own))
  return cleanObject(payload, {
    own,
    hidesFork,
    isTop: true,
    isAmongPeople: false,
    isInCommit: false,
    isCommitAuthor: false,
    isChanges: false,
  })
}

function cleanObject(object: JsonObject, place: Place): JsonObject {
  const here = !place.hidesFork && comesFromHidden(object, place.own) ? { ...place, hidesFork: true } : place
  const isFormerHidden = place.isChanges && wasHidden(object)
  const names = Object.keys(object)
  let copy: Array<[string, Json]> | undefined
  for (const [index, name] of names.entries()) {
    const value = object[name] ?? null
    const cleanName = withoutAccounts(name)
    const cleaned = cleanField(object, name, isFormerHidden ? withoutFormer(value) : value, here)
    if (copy === undefined && cleaned === value && cleanName === name) continue
    copy ??= names.slice(0, index).map((earlier) => [earlier, object[earlier] ?? null])
    if (cleaned !== undefined) copy.push([cleanName, cleaned])
  }
  return copy === undefined ? object : Object.fromEntries(copy)
}

// Undefined: left out, since nobody may see it.
function cleanField(object: JsonObject, name: string, value: Json, place: Place): Json | undefined {
  const roles = rolesOf(name)
  if (roles !== undefined) {
    if (isHidden(object, name, value, roles, place)) return undefined
    if (roles.has('variables')) return namesOnly(value)
    if (roles.has('other pipeline') && isObject(value) && !isKnown(value, place.own)) return {}
  }
  if (typeof value === 'string') return withoutAccounts(value)
  if (typeof value !== 'object' || value === null) return value
  return cleanInside(value, roles, inside(place, roles), place.isTop)
}

function isHidden(object: JsonObject, name: string, value: Json, roles: Roles, place: Place): boolean {
  if (roles.has('secret') || roles.has('former place')) return true
  if (roles.has('email') && (isPerson(object) || isAddress(name, value, roles, place))) return true
  return place.hidesFork && roles.has('fork') && value !== null && (name !== 'source' || typeof value === 'object')
}

function isPerson(object: JsonObject): boolean {
  return Object.keys(object).some((name) => rolesOf(name)?.has('username') === true)
}

// Outside of commits whatever may hold an address counts as one.
function isAddress(name: string, value: Json, roles: Roles, { isTop, isAmongPeople, isInCommit, isCommitAuthor }: Place): boolean {
  if (isAmongPeople || (isTop && name.endsWith('_email'))) return true
  const isAuthors = (isCommitAuthor && name === 'email') || (isInCommit && roles.has('commit email'))
  if (isAuthors && typeof value === 'string') return false
  return typeof value === 'string' || (typeof value === 'object' && value !== null)
}

function inside(place: Place, roles: Roles | undefined): Place {
  const isCommitAuthor = place.isInCommit && roles?.has('commit author') === true
  return {
    own: place.own,
    hidesFork: place.hidesFork,
    isTop: false,
    isAmongPeople: roles?.has('people') === true && !isCommitAuthor,
    isInCommit: place.isInCommit || roles?.has('commit') === true,
    isCommitAuthor,
    isChanges: roles?.has('changes') === true,
  }
}

// Whether the body says of which project a pipeline is, and that project may be told.
function isKnown({ project }: JsonObject, own: Own): boolean {
  return isObject(project) && !isOthers(project, rolesOf('project'), own, false)
}

function cleanInside(value: JsonObject | Json[], roles: Roles | undefined, place: Place, isTop: boolean): Json | undefined {
  if (isObject(value)) return isOthers(value, roles, place.own, isTop) ? undefined : cleanObject(value, place)
  let isClean = true
  const items = value.flatMap((item) => {
    const cleaned =
      typeof item === 'object' && item !== null
        ? cleanInside(item, roles, place, false)
        : typeof item === 'string'
          ? withoutAccounts(item)
          : item
    isClean &&= cleaned === item
    return cleaned === undefined ? [] : [cleaned]
  })
  return isClean ? value : items
}

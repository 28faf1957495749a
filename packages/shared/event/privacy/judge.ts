// Whether something in a body says that it is not for everybody.
import { isObject, type Json, type JsonObject } from '#shared/process/json.ts'
import { formerOf, nowOf } from './change.ts'
import { isOthers, type Own, ownOf } from './others.ts'
import { type Roles, rolesOf } from './roles.ts'
import { saidOf, saysPublic } from './visibility.ts'

const findings = ['nothing', 'not public', 'confidential', 'too deep'] as const
export type PrivacyFinding = (typeof findings)[number]

/** GitLab's bodies are less than half as deep. A body that is nested some thousand levels deep could not be written as JSON again. */
export const deepest = 100

/** The worst that is said anywhere in `body`, but not of what belongs to other projects, which is taken out anyway. */
export function judge(body: JsonObject): PrivacyFinding {
  return judgeObject(body, ownOf(body), 0, false)
}

// Of a change only the new value counts: the old one is taken out anyway.
function judgeObject(object: JsonObject, own: Own, depth: number, isChanges: boolean): PrivacyFinding {
  let found: PrivacyFinding = 'nothing'
  for (const name of Object.keys(object)) {
    const value = object[name]
    if (value === undefined) continue
    const roles = rolesOf(name)
    const isWord = roles?.has('confidential') === true || roles?.has('visibility') === true
    if (isWord) found = worse(found, judgeWord(isChanges ? nowOf(value) : value, roles))
    if (typeof value === 'object' && value !== null && !(isWord && isChanges)) found = worse(found, judgeInside(value, roles, own, depth))
  }
  return found
}

function judgeInside(value: JsonObject | Json[], roles: Roles | undefined, own: Own, depth: number): PrivacyFinding {
  if (depth >= deepest) return 'too deep'
  let found: PrivacyFinding = 'nothing'
  if (isObject(value)) {
    if (isOthers(value, roles, own, depth === 0)) return found
    if (roles?.has('snippet') === true && saidOf(value) !== true) found = 'confidential'
    return worse(found, judgeObject(value, own, depth + 1, roles?.has('changes') === true))
  }
  for (const item of value) if (typeof item === 'object' && item !== null) found = worse(found, judgeInside(item, roles, own, depth + 1))
  return found
}

function judgeWord(value: Json | undefined, roles: Roles): PrivacyFinding {
  if (roles.has('confidential')) return isTrue(value) ? 'confidential' : 'nothing'
  return saysPublic(value) ? 'nothing' : 'not public'
}

function worse(one: PrivacyFinding, other: PrivacyFinding): PrivacyFinding {
  return one === other || findings.indexOf(one) > findings.indexOf(other) ? one : other
}

const untrue = new Set<Json | undefined>([undefined, false, null, 0, '', '0', 'false', 'f', 'no', 'n', 'off', 'null', 'none'])

// Flags come as booleans, numbers or words. Whatever is not clearly a no counts as a yes.
function isTrue(value: Json | undefined): boolean {
  return !untrue.has(typeof value === 'string' ? value.trim().toLowerCase() : value)
}

/** Whether `changes` tell that something was confidential, or not public, before. */
export function wasHidden(changes: JsonObject): boolean {
  return Object.entries(changes).some(([name, change]) => {
    const roles = rolesOf(name)
    const former = formerOf(change)
    if (former === undefined || former === null || roles === undefined) return false
    return (roles.has('confidential') || roles.has('visibility')) && judgeWord(former, roles) !== 'nothing'
  })
}

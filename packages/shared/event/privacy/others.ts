// What of a body belongs to another project than the one it is about, which may be private though this one is public: the
// project a merge request comes from with its branch and commits, the one whose pipeline started this one. It may be told
// when it is stated to be public.
import { isObject, type Json, type JsonObject } from '#shared/process/json.ts'
import { type Roles, rolesOf } from './roles.ts'
import { saidOf } from './visibility.ts'

/** The project that a body is about, as far as it says. */
export type Own = { id: Json | undefined; path: Json | undefined; wiki: string | undefined }

/** Reads it where GitLab's kinds say it. */
export function ownOf(body: JsonObject): Own {
  const project = isObject(body.project) ? body.project : {}
  const path = project.path_with_namespace ?? body.path_with_namespace ?? body.project_path_with_namespace
  return { id: project.id ?? body.project_id, path, wiki: typeof path === 'string' ? `${path}.wiki` : undefined }
}

/** Whether the field with these roles, `isTop` in the body itself, holds another project, or something of it, that is not public. */
export function isOthers(value: Json, roles: Roles | undefined, own: Own, isTop: boolean): boolean {
  if (!isObject(value)) return false
  if (roles?.has('merge request') === true) return isElsewhere(value, own)
  if (isTop && roles?.has('own') === true) return false
  if (roles?.has('project') !== true && typeof value.path_with_namespace !== 'string') return false
  const isPublic = saidOf(value)
  // The target is the project of a merge request itself: what is said there counts.
  if (roles?.has('target') === true && isPublic !== undefined) return false
  return !(isPublic ?? isOwn(value, own))
}

function isOwn({ id, path_with_namespace: path }: JsonObject, own: Own): boolean {
  const isSameId = id === undefined || own.id === undefined ? undefined : id === own.id
  const isSamePath = path === undefined || own.path === undefined ? undefined : path === own.path || path === own.wiki
  return isSameId !== false && isSamePath !== false && (isSameId ?? isSamePath ?? false)
}

// A pipeline that runs where a merge request comes from tells of one in another project.
function isElsewhere({ target, target_project_id: id }: JsonObject, own: Own): boolean {
  if (isObject(target) && saidOf(target) === true) return false
  return typeof id === 'number' && own.id !== undefined && id !== own.id
}

/** Whether `part` is a merge request that comes from another project which is not stated to be public. */
export function comesFromHidden(part: JsonObject, own: Own): boolean {
  const { source, source_project_id: from, target_project_id: to = own.id } = part
  if (source === undefined && from === undefined) return false
  if (isObject(source)) {
    if (isOthers(source, rolesOf('source'), own, false)) return true
    return typeof from === 'number' && source.id !== undefined && source.id !== from
  }
  if (typeof from === 'number') return from !== to
  return from === null || source === null
}

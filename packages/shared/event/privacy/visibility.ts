// Whether a project is said to be public, and who may see the project of a body.
import { isObject, type Json, type JsonObject } from '#shared/process/json.ts'
import { rolesOf } from './roles.ts'

export type Visibility = 'public' | 'internal' | 'private'

/** GitLab says 20 or `public`; nothing else means it. */
export function saysPublic(value: Json | undefined): boolean {
  return value === 20 || value === 'public'
}

/** What `project` says of its own visibility: true for public, false for anything else, undefined for nothing. */
export function saidOf(project: JsonObject): boolean | undefined {
  let said: boolean | undefined
  for (const name of Object.keys(project)) if (rolesOf(name)?.has('visibility')) said = said !== false && saysPublic(project[name])
  return said
}

const internal: readonly Json[] = [10, 'internal']

/**
 * Who may see the project of `body`. Public only when the project, its repository or `project_visibility` says so, and none
 * of them, nor the target of a merge request, contradicts; `stated` tells whether any of them says anything.
 */
export function visibilityOf({ project, repository, project_visibility, object_attributes, merge_request }: JsonObject) {
  const own = [project, repository].flatMap((part) => levelsIn(part))
  const targets = [object_attributes, merge_request].flatMap((part) => (isObject(part) ? levelsIn(part.target) : []))
  if (project_visibility !== undefined) own.push(project_visibility)
  const all = [...own, ...targets]
  const isVisibilityStated = own.length > 0
  if (isVisibilityStated && all.every(saysPublic)) return { visibility: 'public' as const, isVisibilityStated }
  const isInternal = isVisibilityStated && all.every((level) => saysPublic(level) || internal.includes(level))
  return { visibility: isInternal ? ('internal' as const) : ('private' as const), isVisibilityStated }
}

function levelsIn(project: Json | undefined): Json[] {
  if (!isObject(project)) return []
  return [project.visibility_level, project.visibility].filter((level) => level !== undefined)
}

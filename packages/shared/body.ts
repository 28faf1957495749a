// What of a body of GitLab's is read. Everything is optional, and what has a wrong type counts as missing: bodies differ
// by version, by kind, and by who sent them.
import { z } from 'zod'

export type Visibility = 'public' | 'internal' | 'private'

const text = z.string().min(1).optional().catch(undefined)
const number = z.number().int().min(0).max(0xffff_ffff).optional().catch(undefined)
const flag = z.boolean().optional().catch(undefined)

const projectSchema = z
  .object({ id: number, path_with_namespace: text, web_url: text, visibility_level: number })
  .optional()
  .catch(undefined)

// A change is {previous, current}; on a re-requested review GitLab prints a pair of lists instead.
const changeSchema = z.union([
  z.looseObject({ previous: z.unknown(), current: z.unknown() }),
  z.tuple([z.unknown(), z.unknown()]).transform(([previous, current]) => ({ previous, current })),
])

export const bodySchema = z.object({
  project: projectSchema,
  repository: projectSchema,
  user: z.object({ username: text }).optional().catch(undefined),
  changes: z.record(z.string(), changeSchema.optional().catch(undefined)).optional().catch(undefined),
  object_attributes: z
    .object({
      action: text,
      iid: z.number().int().min(1).max(0xffff_ffff).optional().catch(undefined),
      url: text,
      title: text,
      description: text,
      state: text,
      system: flag,
      draft: flag,
      work_in_progress: flag,
      oldrev: text,
      target_branch: text,
      target_project_id: number,
      target: projectSchema,
      updated_at: text,
    })
    .optional()
    .catch(undefined),
  project_id: number,
  project_visibility: text,
  path_with_namespace: text,
  project_path_with_namespace: text,
  user_username: text,
  username: text,
  action: text,
})
export type Body = z.output<typeof bodySchema>

/** Who may see the project of a body. Public only when that is stated, and nowhere contradicted. */
export function visibilityOf({ project, repository, project_visibility }: Body): Visibility {
  const stated = [project?.visibility_level, repository?.visibility_level].filter((level) => level !== undefined).map(levelName)
  if (project_visibility !== undefined) stated.push(project_visibility)
  if (stated.length === 0 || stated.some((name) => name !== 'public' && name !== 'internal')) return 'private'
  return stated.includes('internal') ? 'internal' : 'public'
}

function levelName(level: number): string {
  return { 0: 'private', 10: 'internal', 20: 'public' }[level] ?? 'private'
}

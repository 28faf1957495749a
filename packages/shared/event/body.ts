// The parts of GitLab's bodies that are read. Everything is optional, and a value of a wrong type counts as missing: bodies
// differ by version, by kind, and by who sent them.
import { z } from 'zod'

const text = z.string().min(1).optional().catch(undefined)
const number = z.number().int().min(0).max(0xffff_ffff).optional().catch(undefined)
const flag = z.boolean().optional().catch(undefined)

const projectSchema = z.object({ id: number, path_with_namespace: text, web_url: text }).optional().catch(undefined)

// A change is {previous, current}; on a re-requested review GitLab prints a pair of lists instead.
const changeSchema = z.union([
  z.looseObject({ previous: z.unknown(), current: z.unknown() }),
  z.tuple([z.unknown(), z.unknown()]).transform(([previous, current]) => ({ previous, current })),
])

export const bodySchema = z.object({
  project: projectSchema,
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
  path_with_namespace: text,
  project_path_with_namespace: text,
  user_username: text,
  username: text,
  action: text,
})
export type Body = z.output<typeof bodySchema>

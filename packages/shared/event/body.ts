// The parts of GitLab's bodies that are read. Everything is optional, and a value of a wrong type counts as missing: bodies
// differ by version, by kind, and by who sent them.
import { z } from 'zod'

export const text = z.string().min(1).optional().catch(undefined)
export const number = z.number().int().min(0).max(0xffff_ffff).optional().catch(undefined)
const flag = z.boolean().optional().catch(undefined)

/** An object of a body, of which `shape` is read. */
export const part = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.object(shape).optional().catch(undefined)

const project = part({ id: number, path_with_namespace: text, web_url: text })

// A change is {previous, current}; on a re-requested review GitLab prints a pair of lists instead.
const changeSchema = z.union([
  z.looseObject({ previous: z.unknown(), current: z.unknown() }),
  z.tuple([z.unknown(), z.unknown()]).transform(([previous, current]) => ({ previous, current })),
])

/** What is read of `object_attributes`. */
export const attributes = {
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
  target: project,
  updated_at: text,
}

export const bodySchema = z.object({
  project,
  user: part({ username: text }),
  changes: z.record(z.string(), changeSchema.optional().catch(undefined)).optional().catch(undefined),
  object_attributes: part(attributes),
  project_id: number,
  path_with_namespace: text,
  project_path_with_namespace: text,
  user_username: text,
  username: text,
  action: text,
})
export type Body = z.output<typeof bodySchema>

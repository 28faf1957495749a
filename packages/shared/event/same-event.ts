// Whether two deliveries tell of the same event: a system hook and a project's own, or one that was sent again under another key.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { GitLabEvent } from './event.ts'
import { isTime } from './time.ts'

const timeSchema = z.object({ object_attributes: z.object({ updated_at: z.string() }) })

/**
 * The same for all deliveries of one event of a merge request: by project, number, action and time of change, and for an update by
 * what changed. Undefined for all else, and where the time is not told: then only the delivery's id tells.
 */
export function sameEventKey({ mergeRequest, body }: GitLabEvent): string | undefined {
  const { data } = timeSchema.safeParse(body)
  const at = Date.parse(data?.object_attributes.updated_at ?? '')
  if (!mergeRequest || mergeRequest.action === undefined || !isTime(at)) return undefined
  const { projectId, iid, action, oldrev = null, changes } = mergeRequest
  const changed = Object.entries(changes).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const parts = [projectId, iid, action, at, ...(action === 'update' ? [oldrev, changed] : [])]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

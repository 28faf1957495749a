// A delivery for something that GitLab did not tell us when it happened, in the form of the hook that was missed.

import type { Delivery } from '#shared/event/delivery.ts'
import { reconciledPrefix } from '#shared/event/reconciled.ts'
import type { MergeRequestNow, Project } from '#sinks/gitlab/history.ts'
import type { Happened } from './happened.ts'

const levels: Record<string, number> = { public: 20, internal: 10 }

/** The delivery. Its id is the same whenever it is made, so that handing it in twice is a no-op. */
export function deliveryOf(merge: MergeRequestNow, project: Project, what: Happened): Delivery {
  const id = `${reconciledPrefix}${project.id}-${merge.iid}-${what.action}-${Date.parse(what.at)}`
  const body = JSON.stringify(bodyOf(merge, project, what))
  const headers = { 'content-type': 'application/json' }
  return { id, receivedAt: new Date().toISOString(), headers, body, again: true, origin: 'reconciled' }
}

function bodyOf(merge: MergeRequestNow, project: Project, what: Happened): object {
  const { id, iid, title, description, state, source_branch, target_branch, created_at, author } = merge
  const draft = merge.draft === true
  const { source_project_id, target_project_id = project.id } = merge
  const branches = { source_branch, source_project_id, target_branch, target_project_id }
  const attributes = { id, iid, title, description, state, draft, work_in_progress: draft, ...branches, created_at }
  const pushed = what.action === 'update' ? { oldrev: what.oldrev, last_commit: { id: what.head } } : {}
  const { id: project_id, name, path_with_namespace, web_url, default_branch } = project
  const about = { id: project_id, name, description: project.description, web_url, path_with_namespace, default_branch, homepage: web_url }
  return {
    object_kind: 'merge_request',
    event_type: 'merge_request',
    ...(what.by && { user: what.by }),
    project: { ...about, visibility_level: levels[project.visibility] ?? 0 },
    object_attributes: {
      ...attributes,
      author_id: author?.id,
      url: merge.web_url,
      action: what.action,
      updated_at: what.at,
      system: false,
      ...pushed,
    },
    labels: [],
    changes: {},
    repository: { name, description: project.description, homepage: web_url },
    ...(merge.assignees?.length && { assignees: merge.assignees }),
    ...(merge.reviewers?.length && { reviewers: merge.reviewers }),
  }
}

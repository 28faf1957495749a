// Bodies of a given size, as GitLab would send them: compact JSON, of a public project, so that the feed takes them
// and nothing else does.
import { hook } from '../support/fixtures.ts'

/** The push hook of a public project as compact JSON, with as many commits as make it `bytes` long, give or take one. */
export function pushBody(bytes: number): string {
  const body = hook('push')
  const commits = Array.isArray(body.commits) ? body.commits : []
  const size = JSON.stringify(commits).length / commits.length
  const more = Math.max(0, Math.round((bytes - JSON.stringify(body).length) / size))
  const added = Array.from({ length: more }, (_, index) => commits[index % commits.length] ?? {})
  return JSON.stringify({ ...body, commits: [...commits, ...added], total_commits_count: commits.length + more })
}

type MergeRequest = { iid: number; task: number; at: string; action?: string; username?: string }

/** The hook of the merge request `iid`, which names `task`; `at` (ISO 8601) is when it was changed. */
export function mergeRequestBody({ iid, task, at, action = 'open', username = 'alice' }: MergeRequest): string {
  const body = hook('merge-request-open')
  const attributes = {
    iid,
    action,
    url: `https://gitlab.example/repos/releng/gitlab-demo/-/merge_requests/${iid}`,
    description: `Readers can follow merge requests.\n\nBug: T${task}`,
    updated_at: at,
  }
  const user = Object.assign({}, body.user, { username })
  return JSON.stringify({ ...body, user, object_attributes: Object.assign({}, body.object_attributes, attributes) })
}

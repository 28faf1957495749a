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

/** The hook of the merge request with this number, opened at `at` (ISO 8601), that names the task of 1000 more. */
export function mergeRequestBody(number: number, at: string): string {
  const body = hook('merge-request-open')
  const attributes = {
    iid: number,
    url: `https://gitlab.example/repos/releng/gitlab-demo/-/merge_requests/${number}`,
    description: `Readers can follow merge requests.\n\nBug: T${1000 + number}`,
    updated_at: at,
  }
  return JSON.stringify({ ...body, object_attributes: Object.assign({}, body.object_attributes, attributes) })
}

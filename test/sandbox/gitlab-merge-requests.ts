// Merge requests over all projects, by when they were updated, and what GitLab remembers of one: who closed, reopened or
// merged it, and the versions of its code, newest first.
import { type Forge, findUser, type MergeRequest, type StateEvent, type Version } from './forge.ts'
import { mergeRequestJson, updatedAt, userJson } from './forge-json.ts'
import type { Call } from './gitlab.ts'
import { paged } from './paging.ts'
import { type Answer, json } from './server.ts'

export function listMergeRequests({ state, request, url }: Call): Answer {
  const query = request.url.searchParams
  if (query.get('scope') !== 'all') return json(200, [])
  const after = Date.parse(query.get('updated_after') ?? '1970-01-01')
  const visible = state.projects.filter(({ hidden }) => !hidden)
  const found = visible.flatMap((project) => project.mergeRequests.map((merge) => ({ project, merge, at: Date.parse(updatedAt(merge)) })))
  const sorted = found.filter(({ at }) => at >= after).toSorted((a, b) => (query.get('sort') === 'asc' ? a.at - b.at : b.at - a.at))
  return paged(request, url, sorted, ({ project, merge }) => mergeRequestJson(state, project, merge, url))
}

export function stateEventJson(state: Forge, merge: MergeRequest, event: StateEvent, url: string) {
  return {
    id: merge.stateEvents.indexOf(event) + 1,
    user: userJson(findUser(state, event.by), url),
    created_at: event.at,
    resource_type: 'MergeRequest',
    resource_id: merge.id,
    state: event.state,
  }
}

export function versionJson(merge: MergeRequest, version: Version) {
  return {
    id: merge.versions.indexOf(version) + 1,
    head_commit_sha: version.head,
    base_commit_sha: '0'.repeat(40),
    start_commit_sha: '0'.repeat(40),
    created_at: version.at,
    merge_request_id: merge.id,
    state: 'collected',
    real_size: '1',
  }
}

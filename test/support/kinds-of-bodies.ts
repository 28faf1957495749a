// A body of each kind that is published, of a public project, small, of the shape that GitLab gives it.
import type { Json, JsonObject } from '#shared/process/json.ts'
import { hook } from './fixtures.ts'

const project = { id: 42, name: 'Demo', path_with_namespace: 'a/b', web_url: 'https://gitlab.example/a/b', visibility_level: 20 }
const user = { id: 1, name: 'Alice', username: 'alice' }
const commit = { id: 'c0ffee', message: 'Mend it', author: { name: 'Alice', email: 'alice@commits.example' } }
const issue = { id: 5, iid: 5, title: 'An issue', confidential: false, labels: [{ id: 1, title: 'bug' }] }
const mergeRequest = {
  id: 7,
  iid: 7,
  title: 'A change',
  source_branch: 'mend',
  source_project_id: 42,
  target_branch: 'main',
  target_project_id: 42,
  source: project,
  target: project,
  last_commit: commit,
}
const note = { id: 9, note: 'Looks good', noteable_type: 'Commit', internal: false, action: 'create' }
const job = {
  ref: 'main',
  build_name: 'test',
  build_status: 'success',
  project_id: 42,
  commit: { sha: 'c0ffee', author_name: 'Alice', author_email: 'alice@commits.example' },
}

const of = (object_kind: string, more: JsonObject): JsonObject => ({ object_kind, user, project, ...more })
const ofProject = (event_name: string): JsonObject => ({ ...hook('project-create'), event_name })

/** By what they are about; several of a kind where GitLab's differ. */
export const bodies: Record<string, JsonObject> = {
  push: hook('push'),
  'tag push': hook('tag-push'),
  'repository update': hook('repository-update'),
  'opened merge request': hook('merge-request-open'),
  'merge request': of('merge_request', { object_attributes: { ...mergeRequest, action: 'update', oldrev: 'abcdef' }, changes: {} }),
  issue: of('issue', {
    object_attributes: { ...issue, action: 'update' },
    assignees: [user],
    changes: { title: { previous: 'An', current: 'An issue' } },
  }),
  'work item': of('work_item', { object_attributes: { ...issue, type: 'Task' } }),
  'note on a commit': of('note', { object_attributes: note, commit }),
  'note on a merge request': of('note', { object_attributes: note, merge_request: mergeRequest }),
  'note on an issue': of('note', { object_attributes: note, issue }),
  'note on a snippet': of('note', { object_attributes: note, snippet: { id: 3, title: 'A snippet', visibility_level: 20 } }),
  emoji: of('emoji', { object_attributes: { name: 'thumbsup', action: 'award' }, note, merge_request: mergeRequest }),
  release: of('release', { tag: '1.0', action: 'create', assets: { links: [{ id: 1, url: 'https://releases.example/1' }] }, commit }),
  pipeline: of('pipeline', {
    object_attributes: { id: 31, ref: 'main', sha: 'c0ffee', source: 'push', status: 'success' },
    merge_request: mergeRequest,
    commit,
    builds: [{ id: 380, name: 'test', status: 'success', user, runner: { id: 1, tags: ['docker'] } }],
  }),
  build: of('build', job),
  job: of('job', job),
  deployment: of('deployment', { status: 'approved', approver: user, environment: 'production', commit_title: 'Mend it' }),
  'wiki page': of('wiki_page', {
    wiki: { path_with_namespace: 'a/b.wiki' },
    object_attributes: { title: 'Home', content: 'Hello', action: 'update' },
  }),
  milestone: of('milestone', { object_attributes: { id: 1, title: '1.0' }, action: 'create' }),
  'project create': ofProject('project_create'),
  'project destroy': ofProject('project_destroy'),
  'project rename': ofProject('project_rename'),
  'project transfer': ofProject('project_transfer'),
  'project update': ofProject('project_update'),
}

/** The paths to all objects in `value`, itself first, without those below a name that `skips`. */
export function pathsIn(value: Json, skips: (name: string) => boolean = () => false, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return []
  const below = Object.entries(value).flatMap(([name, inner]) => (skips(name) ? [] : pathsIn(inner, skips, [...path, name])))
  return Array.isArray(value) ? below : [path, ...below]
}

/** `body` with what `change` makes of the object at `path`. */
export function changedAt(body: Json, path: string[], change: (object: JsonObject) => JsonObject): Json {
  const [name, ...rest] = path
  if (typeof body !== 'object' || body === null) return body
  if (name === undefined) return Array.isArray(body) ? body : change(body)
  if (Array.isArray(body)) return body.map((item, index) => (String(index) === name ? changedAt(item, rest, change) : item))
  return { ...body, [name]: changedAt(body[name] ?? null, rest, change) }
}

// How GitLab writes its users, projects, merge requests, notes, commits and files as JSON.
import {
  type Commit,
  type File,
  type Forge,
  findUser,
  type MergeRequest,
  type Note,
  type Project,
  participants,
  type User,
} from './forge.ts'

export function userJson(user: User | undefined, url: string) {
  if (!user) return null
  const { id, username, name, state } = user
  return { id, username, public_email: '', name, state, locked: false, avatar_url: null, web_url: `${url}/${username}` }
}

export function fullUserJson(user: User | undefined, url: string) {
  if (!user) return null
  return { ...userJson(user, url), created_at: '2025-01-07T08:00:00.000Z', bio: '', location: '', bot: user.bot ?? false, job_title: '' }
}

export function participantsJson(forge: Forge, merge: MergeRequest, url: string) {
  return participants(forge, merge).map((user) => userJson(user, url))
}

export function tokenJson({ token, users, bot }: Forge) {
  return {
    id: 7,
    name: 'gitlab-webhooks',
    revoked: token.state === 'revoked',
    created_at: '2026-01-07T08:00:00.000Z',
    scopes: token.scopes,
    user_id: users.find((user) => user.username === bot)?.id ?? null,
    last_used_at: new Date().toISOString(),
    active: token.state === 'active',
    expires_at: token.expiresAt,
  }
}

export function projectJson({ id, path, visibility }: Project, url: string) {
  const name = path.split('/').at(-1) ?? path
  return {
    id,
    description: null,
    name,
    name_with_namespace: path.split('/').join(' / '),
    path: name,
    path_with_namespace: path,
    created_at: '2025-01-07T08:00:00.000Z',
    default_branch: 'main',
    http_url_to_repo: `${url}/${path}.git`,
    web_url: `${url}/${path}`,
    archived: false,
    visibility,
  }
}

/** When anything of it changed last. */
export function updatedAt({ updatedAt: told, createdAt, notes, stateEvents, versions }: MergeRequest): string {
  const times = [createdAt, ...notes.map((note) => note.createdAt), ...[...stateEvents, ...versions].map(({ at }) => at)]
  return told ?? times.toSorted((a, b) => Date.parse(a) - Date.parse(b)).at(-1) ?? createdAt
}

export function mergeRequestJson(forge: Forge, project: Project, merge: MergeRequest, url: string) {
  const user = (name: string) => userJson(findUser(forge, name), url)
  return {
    id: merge.id,
    iid: merge.iid,
    project_id: project.id,
    title: merge.title,
    description: merge.description,
    state: merge.state,
    created_at: merge.createdAt,
    updated_at: updatedAt(merge),
    target_branch: merge.targetBranch,
    source_branch: merge.sourceBranch,
    user_notes_count: merge.notes.filter((note) => !note.system).length,
    author: user(merge.author),
    assignees: merge.assignees.map(user),
    reviewers: merge.reviewers.map(user),
    source_project_id: project.id,
    target_project_id: project.id,
    labels: [],
    draft: merge.draft,
    work_in_progress: merge.draft,
    detailed_merge_status: 'mergeable',
    sha: merge.commits[0]?.id ?? null,
    discussion_locked: merge.discussionLocked || null,
    references: { short: `!${merge.iid}`, relative: `!${merge.iid}`, full: `${project.path}!${merge.iid}` },
    web_url: `${url}/${project.path}/-/merge_requests/${merge.iid}`,
  }
}

export function noteJson(forge: Forge, merge: MergeRequest, note: Note, url: string) {
  return {
    id: note.id,
    type: null,
    body: note.body,
    author: userJson(findUser(forge, note.author), url),
    created_at: note.createdAt,
    updated_at: note.createdAt,
    system: note.system,
    noteable_id: merge.id,
    noteable_type: 'MergeRequest',
    noteable_iid: merge.iid,
    resolvable: false,
    confidential: false,
    internal: false,
    commands_changes: {},
  }
}

export function commitJson({ id, message, author, createdAt }: Commit, project: Project, url: string) {
  return {
    id,
    short_id: id.slice(0, 8),
    created_at: createdAt,
    parent_ids: [],
    title: message.split('\n')[0],
    message,
    author_name: author,
    author_email: `${author}@commits.example`,
    authored_date: createdAt,
    committer_name: author,
    committer_email: `${author}@commits.example`,
    committed_date: createdAt,
    web_url: `${url}/${project.path}/-/commit/${id}`,
  }
}

export function diffJson({ path, oldPath = path, newFile = false, deletedFile = false }: File) {
  return {
    diff: `@@ -1 +1 @@\n-before\n+after\n`,
    collapsed: false,
    too_large: false,
    new_path: path,
    old_path: oldPath,
    a_mode: newFile ? '0' : '100644',
    b_mode: deletedFile ? '0' : '100644',
    new_file: newFile,
    renamed_file: oldPath !== path,
    deleted_file: deletedFile,
    generated_file: false,
  }
}

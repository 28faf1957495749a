// What the sandbox's GitLab knows: users, projects, merge requests with their notes. Plain data that a test may
// change at any moment, and the few acts that have consequences of their own.
import { mentioned } from './note.ts'

export type User = { id: number; username: string; name: string; state: 'active' | 'blocked'; bot?: boolean }
export type Note = { id: number; body: string; author: string; system: boolean; createdAt: string }
export type Commit = { id: string; message: string; author: string; createdAt: string }
export type File = { path: string; oldPath?: string; newFile?: boolean; deletedFile?: boolean }
export type StateEvent = { state: 'closed' | 'reopened' | 'merged'; by: string; at: string }
export type Version = { head: string; at: string }
export type MergeRequest = {
  id: number
  iid: number
  title: string
  description: string
  state: 'opened' | 'closed' | 'merged' | 'locked'
  draft: boolean
  author: string
  assignees: string[]
  reviewers: string[]
  sourceBranch: string
  targetBranch: string
  createdAt: string
  discussionLocked: boolean
  updatedAt?: string
  /** Newest first, as GitLab lists them. */
  commits: Commit[]
  /** What became of it, oldest first, and what was pushed. */
  stateEvents: StateEvent[]
  versions: Version[]
  files: File[]
  notes: Note[]
}
export type Project = {
  id: number
  path: string
  visibility: 'private' | 'internal' | 'public'
  /** The bot cannot see it: GitLab says 404. */
  hidden: boolean
  mergeRequests: MergeRequest[]
}
export type Token = {
  value: string
  /** Those it took the place of. */
  former: string[]
  scopes: string[]
  state: 'active' | 'revoked' | 'expired'
  expiresAt: string | null
}

export type Forge = {
  /** The user the token belongs to. */
  bot: string
  token: Token
  mode: 'normal' | 'read-only'
  users: User[]
  projects: Project[]
  /** Quick actions that were carried out because a note contained them. A well-behaved client leaves this empty. */
  commands: Array<{ command: string; project: string; iid: number }>
  /** The id given last: ids of notes only grow. */
  lastNote: number
}

export function newForge(): Forge {
  return {
    bot: 'gitlab-mentions-bot',
    token: { value: 'glpat-sandbox-0123456789ab', former: [], scopes: ['api'], state: 'active', expiresAt: null },
    mode: 'normal',
    users: [],
    projects: [],
    commands: [],
    lastNote: 1000,
  }
}

export function newProject(given: Pick<Project, 'id' | 'path'> & Partial<Project>): Project {
  return { visibility: 'public', hidden: false, mergeRequests: [], ...given }
}

export function newMergeRequest(given: Pick<MergeRequest, 'iid' | 'title' | 'author'> & Partial<MergeRequest>): MergeRequest {
  return {
    id: 1000 + given.iid,
    description: '',
    state: 'opened',
    draft: false,
    assignees: [],
    reviewers: [],
    sourceBranch: `change-${given.iid}`,
    targetBranch: 'main',
    createdAt: new Date().toISOString(),
    discussionLocked: false,
    commits: [],
    stateEvents: [],
    versions: [],
    files: [],
    notes: [],
    ...given,
  }
}

export function findMergeRequest(forge: Forge, project: string | number, iid: number): MergeRequest {
  const found = findProject(forge, project)?.mergeRequests.find((one) => one.iid === iid)
  if (!found) throw new Error(`The sandbox has no merge request ${project}!${iid}.`)
  return found
}

export function findProject(forge: Forge, key: string | number): Project | undefined {
  return forge.projects.find(({ id, path }) => (/^\d+$/.test(String(key)) ? id === Number(key) : path === key))
}

export function findUser(forge: Forge, username: string): User | undefined {
  return forge.users.find((user) => user.username.toLowerCase() === username.toLowerCase())
}

export function addNote(forge: Forge, merge: MergeRequest, note: Pick<Note, 'author' | 'body'> & Partial<Note>): Note {
  forge.lastNote += 1
  const made = { id: forge.lastNote, system: false, createdAt: new Date().toISOString(), ...note }
  merge.notes.push(made)
  return made
}

/** Author, assignees, reviewers, whoever wrote a note, and whoever is mentioned in the description or a note. */
export function participants(forge: Forge, merge: MergeRequest): User[] {
  const spoken = merge.notes.filter((note) => !note.system)
  const names = [
    merge.author,
    ...merge.assignees,
    ...merge.reviewers,
    ...spoken.map((note) => note.author),
    ...[merge.description, ...spoken.map((note) => note.body)].flatMap(mentioned),
  ]
  return [...new Set(names.map((name) => findUser(forge, name)))].filter((user) => user !== undefined)
}

// GitLab's REST API, version 4, as far as a bot needs it that reads merge requests and writes notes. Not kinder than
// the real one: asked twice for the same note it makes two, pages are as short as there, and the counting headers
// (`X-Total`), which GitLab may leave out, are left out.
import {
  addNote,
  type Forge,
  findMergeRequest,
  findProject,
  findUser,
  type MergeRequest,
  type Note,
  newForge,
  type Project,
} from './forge.ts'
import {
  commitJson,
  diffJson,
  fullUserJson,
  mergeRequestJson,
  noteJson,
  participantsJson,
  projectJson,
  tokenJson,
  userJson,
} from './forge-json.ts'
import { listMergeRequests, stateEventJson, versionJson } from './gitlab-merge-requests.ts'
import { postNote, sorted } from './gitlab-notes.ts'
import { refusal, rotate } from './gitlab-token.ts'
import { mergeRequestPage } from './page.ts'
import { paged } from './paging.ts'
import { type Answer, htmlPage, json, type Received, type Remote, startRemote } from './server.ts'

export type GitLab = Remote & {
  token: string
  state: Forge
  mergeRequest(project: string | number, iid: number): MergeRequest
  /** A note by somebody else than the API's caller. */
  addNote(project: string | number, iid: number, note: Pick<Note, 'author' | 'body'> & Partial<Note>): Note
}

export async function startGitLab(port: number): Promise<GitLab> {
  const state = newForge()
  const remote = await startRemote({
    port,
    handle: (request) => answer({ state, request, url: remote.url }),
    record: ({ url, body }) => {
      const query = new URLSearchParams(url.search)
      query.delete('private_token')
      query.delete('access_token')
      return { path: url.pathname + (query.size > 0 ? `?${query.toString()}` : ''), body: body.toString() }
    },
  })
  return {
    ...remote,
    get token() {
      return state.token.value
    },
    state,
    mergeRequest: (project, iid) => findMergeRequest(state, project, iid),
    addNote: (project, iid, note) => addNote(state, findMergeRequest(state, project, iid), note),
  }
}

export type Call = { state: Forge; request: Received; url: string }

function answer(call: Call): Answer | Promise<Answer> {
  const { pathname } = call.request.url
  const page = /^\/(.+)\/-\/merge_requests\/(\d+)$/.exec(pathname)
  if (page) return showMergeRequest(call, decodeURIComponent(page[1] ?? ''), Number(page[2]))
  if (!pathname.startsWith('/api/v4/')) return htmlPage(404, '<!DOCTYPE html><title>404</title><p>The page could not be found</p>')
  return (
    refusal(call.state, call.request, tokenOf(call.request)) ??
    route(call, pathname.slice('/api/v4/'.length).split('/').map(decodeURIComponent))
  )
}

function tokenOf({ headers }: Received): string | undefined {
  const { authorization, 'private-token': header } = headers
  return /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? [header].flat()[0]
}

function route(call: Call, [resource = '', id, ...rest]: string[]): Answer {
  const { state, request, url } = call
  const reading = request.method === 'GET'
  if (resource === 'projects' && id) return project(call, findProject(state, id), rest)
  if (resource === 'personal_access_tokens' && id === 'self' && rest[0] === 'rotate' && !reading) return rotate(state, request)
  if (!reading || rest.length > 0) return json(404, { error: '404 Not Found' })
  if (resource === 'personal_access_tokens' && id === 'self') return json(200, tokenJson(state))
  if (resource === 'merge_requests' && !id) return listMergeRequests(call)
  if (resource === 'user' && !id) return json(200, fullUserJson(findUser(state, state.bot), url))
  if (resource !== 'users') return json(404, { error: '404 Not Found' })
  if (id) {
    const user = state.users.find((one) => String(one.id) === id)
    return user ? json(200, fullUserJson(user, url)) : json(404, { message: '404 User Not Found' })
  }
  const username = request.url.searchParams.get('username')
  const users = username === null ? state.users : [findUser(state, username)].filter((user) => user !== undefined)
  return paged(request, url, users, (user) => userJson(user, url))
}

function project(call: Call, found: Project | undefined, [kind, iid, part, ...rest]: string[]): Answer {
  if (!found || found.hidden) return json(404, { message: '404 Project Not Found' })
  const { state, request, url } = call
  if (!kind && request.method === 'GET') return json(200, projectJson(found, url))
  if (kind !== 'merge_requests' || !iid || rest.length > 0) return json(404, { error: '404 Not Found' })
  const merge = found.mergeRequests.find((one) => String(one.iid) === iid)
  if (!merge) return json(404, { message: '404 Not found' })
  if (part === 'notes' && request.method === 'POST') return postNote(call, found, merge)
  if (request.method !== 'GET') return json(405, { error: '405 Not Allowed' })
  if (!part) return json(200, mergeRequestJson(state, found, merge, url))
  if (part === 'participants') return json(200, participantsJson(state, merge, url))
  if (part === 'commits') return paged(request, url, merge.commits, (commit) => commitJson(commit, found, url))
  if (part === 'diffs') return paged(request, url, merge.files, diffJson)
  if (part === 'resource_state_events') return paged(request, url, merge.stateEvents, (event) => stateEventJson(state, merge, event, url))
  if (part === 'versions') return paged(request, url, merge.versions.toReversed(), (version) => versionJson(merge, version))
  if (part === 'notes') return paged(request, url, sorted(merge.notes, request.url), (note) => noteJson(state, merge, note, url))
  return json(404, { error: '404 Not Found' })
}

async function showMergeRequest({ state }: Call, path: string, iid: number): Promise<Answer> {
  const merge = findProject(state, path)?.mergeRequests.find((one) => one.iid === iid)
  if (!merge) return htmlPage(404, '<!DOCTYPE html><title>404</title><p>The page could not be found</p>')
  return htmlPage(200, await mergeRequestPage(path, merge))
}

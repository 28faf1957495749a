// What GitLab's API remembers of merge requests: which were updated, who closed, reopened or merged one, which versions its
// code had. https://docs.gitlab.com/api/merge_requests/ and https://docs.gitlab.com/api/resource_state_events/
import { z } from 'zod'
import type { GitLabApi } from './api.ts'

const time = z.iso.datetime({ offset: true })
const personSchema = z.object({ id: z.number(), username: z.string(), name: z.string().default(''), avatar_url: z.string().nullish() })
const mergeRequestSchema = z.object({
  id: z.number(),
  iid: z.number(),
  project_id: z.number(),
  source_project_id: z.number().nullish(),
  target_project_id: z.number().nullish(),
  title: z.string(),
  description: z.string().nullish(),
  state: z.string(),
  draft: z.boolean().nullish(),
  source_branch: z.string().nullish(),
  target_branch: z.string().nullish(),
  created_at: time,
  updated_at: time,
  web_url: z.string(),
  author: personSchema.nullish(),
  assignees: z.array(personSchema).nullish(),
  reviewers: z.array(personSchema).nullish(),
})
const stateEventSchema = z.object({ state: z.string(), created_at: time, user: personSchema.nullish() })
const versionSchema = z.object({ head_commit_sha: z.string(), created_at: time })
const projectSchema = z.object({
  id: z.number(),
  name: z.string(),
  description: z.string().nullish(),
  path_with_namespace: z.string(),
  web_url: z.string(),
  default_branch: z.string().nullish(),
  visibility: z.string().default('private'),
})

export type Person = z.output<typeof personSchema>
export type MergeRequestNow = z.output<typeof mergeRequestSchema>
export type StateEvent = z.output<typeof stateEventSchema>
export type Version = z.output<typeof versionSchema>
export type Project = z.output<typeof projectSchema>

const pageSize = 100

/**
 * The merge requests updated at `since` (ISO 8601) or later that the token can see, each once. Pages are cut by time and
 * not by number: one that is updated meanwhile moves to the end, and must not move another one off a page not yet read.
 */
export async function* mergeRequestsSince({ get }: GitLabApi, since: string, signal: AbortSignal): AsyncGenerator<MergeRequestNow> {
  const seen = new Set<number>()
  for (let after = since, page = 1; ; ) {
    const query = new URLSearchParams({ scope: 'all', order_by: 'updated_at', sort: 'asc', per_page: String(pageSize) })
    query.set('updated_after', after)
    query.set('page', String(page))
    const items = await get(`/merge_requests?${query.toString()}`, z.array(mergeRequestSchema), signal)
    for (const item of items) {
      if (!seen.has(item.id)) yield item
      seen.add(item.id)
    }
    const last = items.at(-1)
    if (!last || items.length < pageSize) return
    if (Date.parse(last.updated_at) > Date.parse(after)) [after, page] = [last.updated_at, 1]
    else page += 1
  }
}

/** What became of one, oldest first: `closed`, `reopened`, `merged`. Throws what `openGitLabApi` says, as the others here. */
export function stateEvents(api: GitLabApi, { project_id, iid }: MergeRequestNow, signal: AbortSignal): Promise<StateEvent[]> {
  return api.list(`/projects/${project_id}/merge_requests/${iid}/resource_state_events?per_page=${pageSize}`, stateEventSchema, signal)
}

/** The versions of its code, oldest first. */
export async function versions(api: GitLabApi, { project_id, iid }: MergeRequestNow, signal: AbortSignal): Promise<Version[]> {
  const newestFirst = await api.list(`/projects/${project_id}/merge_requests/${iid}/versions?per_page=${pageSize}`, versionSchema, signal)
  return newestFirst.reverse()
}

export function project(api: GitLabApi, id: number, signal: AbortSignal): Promise<Project> {
  return api.get(`/projects/${id}`, projectSchema, signal)
}

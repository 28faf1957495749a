// What a delivery means. GitLab's bodies differ by version, by kind and by who sent them (its Test buttons leave fields
// out), so everything here is optional but what a consequence cannot do without. Unknown kinds are events too.

import { Permanent } from '#shared/process/errors.ts'
import { type JsonObject, readObject } from '#shared/process/json.ts'
import { type Body, bodySchema } from './body.ts'
import { type Delivery, kindOf } from './delivery.ts'
import { type Visibility, visibilityOf } from './privacy/visibility.ts'
import { isTime } from './time.ts'

export type Change = { previous: unknown; current: unknown }

// An event that is older than this when it arrives was resent, or held up by an outage: it may have had its effects already,
// however long ago. GitLab lists what it sent in the last seven days for resending, under the same key.
const newForMs = 5 * 60_000

// In these fields GitLab writes a single word.
const longestName = 100

/**
 * `receivedAt` and `since` are ISO 8601: when the delivery came, and when the thing happened, which may be long before.
 * `isVisibilityStated`: the body says something of the visibility of its project.
 * `again`: this event may have had its effects already; `anew`: it shall have them once more, where they are missing. `body` is all that GitLab sent.
 */
export type GitLabEvent = {
  delivery: string
  receivedAt: string
  since: string
  again: boolean
  anew: boolean
  origin: Delivery['origin']
  kind: string
  action: string | undefined
  project: { id: number | undefined; path: string } | undefined
  visibility: Visibility
  isVisibilityStated: boolean
  username: string | undefined
  mergeRequest: MergeRequest | undefined
  body: JsonObject
}

export type MergeRequest = {
  projectId: number | string
  projectPath: string
  iid: number
  url: string | undefined
  title: string
  description: string
  state: string | undefined
  action: string | undefined
  system: boolean
  draft: boolean
  targetBranch: string
  oldrev: string | undefined
  changes: Record<string, Change>
}

/** What `delivery` means. Throws `Permanent` when its body is not a JSON object; nothing else is too strange. */
export function parseEvent(delivery: Delivery): GitLabEvent {
  const body = readObject(delivery.body)
  if (!body) throw new Permanent(`The body of delivery ${delivery.id} is not a JSON object.`)
  const read = bodySchema.parse(body)
  const kind = kindOf(body).slice(0, longestName)
  const mergeRequest = kind === 'merge_request' ? mergeRequestOf(read) : undefined
  const path =
    read.project?.path_with_namespace ?? read.path_with_namespace ?? read.project_path_with_namespace ?? mergeRequest?.projectPath
  const id = read.project?.id ?? read.project_id
  // Undefined where GitLab does not tell it. Older versions write dates as `2026-01-16 05:56:22 UTC`.
  const told = Date.parse(read.object_attributes?.updated_at ?? '')
  const received = Date.parse(delivery.receivedAt)
  const since = new Date(isTime(told) ? Math.min(told, received) : received)
  return {
    delivery: delivery.id,
    receivedAt: delivery.receivedAt,
    since: since.toISOString(),
    anew: delivery.redelivered === true,
    origin: delivery.origin,
    again: delivery.again === true || (isTime(told) ? received - told > newForMs : mergeRequest !== undefined),
    kind,
    action: (read.object_attributes?.action ?? read.action)?.slice(0, longestName),
    project: path === undefined ? undefined : { id, path },
    ...visibilityOf(body),
    username: read.user?.username ?? read.user_username ?? read.username,
    mergeRequest,
    body,
  }
}

// A web address that can be put into a text as it is, without its ending early or meaning anything else there.
const address = /^(?=.{1,900}$)https?:\/\/[A-Za-z0-9.:-]+(?:\/(?:[\w.~+/-]|%[\dA-Fa-f]{2})*)?$/

function mergeRequestOf({ object_attributes: attributes, project, changes }: Body): MergeRequest | undefined {
  const projectPath = project?.path_with_namespace ?? attributes?.target?.path_with_namespace
  const projectId = project?.id ?? attributes?.target_project_id ?? projectPath
  if (attributes?.iid === undefined || projectPath === undefined || projectId === undefined) return undefined
  return {
    projectId,
    projectPath,
    iid: attributes.iid,
    url: attributes.url !== undefined && address.test(attributes.url) ? attributes.url : undefined,
    title: attributes.title ?? '',
    description: attributes.description ?? '',
    state: attributes.state,
    action: attributes.action,
    system: attributes.system === true,
    draft: (attributes.draft ?? attributes.work_in_progress) === true,
    targetBranch: attributes.target_branch ?? '',
    oldrev: attributes.oldrev,
    changes: Object.fromEntries(Object.entries(changes ?? {}).flatMap(([name, change]) => (change ? [[name, change]] : []))),
  }
}

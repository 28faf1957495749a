// The kinds of events that may be published: GitLab sends others, and will send new ones, that tell of people, keys, tokens
// and groups.
import type { JsonObject } from '#shared/process/json.ts'

/** The kinds that may be published, as a current GitLab writes them; the last one is the operator's. */
export const publishedKinds = [
  'push',
  'tag_push',
  'repository_update',
  'merge_request',
  'issue',
  'work_item',
  'note',
  'release',
  'pipeline',
  'build',
  'job',
  'deployment',
  'wiki_page',
  'milestone',
  'emoji',
  'project_create',
  'project_destroy',
  'project_rename',
  'project_transfer',
  'project_update',
  'canary',
] as const
export type PublishedKind = (typeof publishedKinds)[number]

const published = new Set(publishedKinds.map(spelled))

const others = new Set(
  `unknown key_create key_destroy access_token feature_flag vulnerability member_approval gitlab_subscription_member_approval
  gitlab_subscription_member_approvals group_create group_destroy group_rename subgroup_create subgroup_destroy user_create
  user_destroy user_rename user_failed_login user_add_to_team user_remove_from_team user_update_for_team user_add_to_group
  user_remove_from_group user_update_for_group user_access_request_to_group user_access_request_to_project
  user_access_request_revoked_for_group user_access_request_revoked_for_project user_access_request_denied_for_group
  user_access_request_denied_for_project`
    .split(/\s+/)
    .map(spelled),
)

/** Whether GitLab is known to send events of this kind. */
export function isKnownKind(kind: string): boolean {
  return published.has(spelled(kind)) || others.has(spelled(kind))
}

/** The word in `body` that names a kind which is never published; undefined when all do that say what it is, and one does. */
export function unpublishedKind({ object_kind, event_name }: JsonObject): string | undefined {
  const told = [object_kind, event_name].filter((kind) => kind !== undefined && kind !== null && kind !== '')
  if (told.length === 0) return 'unknown'
  const word = told.find((kind) => typeof kind !== 'string' || !published.has(spelled(kind)))
  return word === undefined ? undefined : typeof word === 'string' ? word : 'unknown'
}

// GitLab's libraries write kinds in several ways: merge_request, MergeRequest, merge-request.
function spelled(kind: string): string {
  return kind.toLowerCase().replaceAll(/[ _-]/g, '')
}

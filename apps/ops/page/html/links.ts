// Where a task or a merge request can be looked at.
import { declarationOf } from '#sinks/registry.ts'
import type { DeadLetter } from '../../actions/dead.ts'
import type { OpsConfig } from '../../context.ts'
import type { Html } from './frame.ts'
import { foreign, outward } from './words.ts'

/** The task that it would have been made on, at the remote of its sink. */
export function taskLink({ sink, task }: DeadLetter, { settings }: OpsConfig): Html | string {
  const [remote] = declarationOf(sink)?.remotesAt(settings) ?? []
  return task === undefined || remote?.url === undefined ? (task ?? '') : outward(`${remote.url}/${task}`, task)
}

/** The merge request, at GitLab. */
export function mergeRequestLink({ mr }: { mr?: string | undefined }, { gitlabUrl }: OpsConfig): Html | string {
  const [, project, iid] = /^(.+)!(\d+)$/.exec(mr ?? '') ?? []
  if (mr === undefined || project === undefined || gitlabUrl === '') return foreign(mr)
  const path = project.split('/').map(encodeURIComponent).join('/')
  return outward(`${gitlabUrl}/${path}/-/merge_requests/${iid}`, mr)
}

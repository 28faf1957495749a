// Which merge request is meant by what somebody typed or pasted.

/** By the path of its project. */
export type MergeRequest = { project: string; iid: number }

const number = '([1-9]\\d{0,9})'
const forms = [
  // An address in GitLab, with what may follow: /diffs, #note_1, ?tab.
  new RegExp(`^https?://[^/\\s]+/([^\\s?#]{1,500}?)/(?:-/)?merge_requests/${number}(?:[/?#]|$)`),
  new RegExp(`^([^!\\s]{1,500})!${number}$`),
]
const largest = 0xffff_ffff

/** The merge request whose address, or `project!number`, `text` is. */
export function readAddress(text: string): MergeRequest | undefined {
  for (const form of forms) {
    const [, project = '', iid = ''] = form.exec(text.trim().slice(0, 2000)) ?? []
    if (project !== '' && Number(iid) <= largest) return { project: decoded(project), iid: Number(iid) }
  }
  return undefined
}

/** The merge request that the path of a page names: `/merge-requests/repos/releng/tool/12`. */
export function readPath(path: string): MergeRequest | undefined {
  const [, project = '', iid = ''] = /^\/merge-requests\/(.{1,1500})\/([1-9]\d{0,9})$/.exec(path) ?? []
  return project === '' || Number(iid) > largest ? undefined : { project: decoded(project), iid: Number(iid) }
}

/** The path of the page about a merge request. */
export function pathOf({ project, iid }: MergeRequest): string {
  return `/merge-requests/${project.split('/').map(encodeURIComponent).join('/')}/${iid}`
}

function decoded(project: string): string {
  try {
    return decodeURIComponent(project)
  } catch {
    return project
  }
}

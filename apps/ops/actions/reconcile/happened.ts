// What happened to a merge request, as far as GitLab's API tells it afterwards: it was opened, closed, reopened, merged, or
// got new code. Edits of its text, labels, people and approvals leave no trace there that tells what they were.
import type { MergeRequestNow, Person, StateEvent, Version } from '#sinks/gitlab/history.ts'

/** `at` is ISO 8601. Who pushed new code is not told; `head` is the newest commit then, `oldrev` the one before. */
export type Happened =
  | { action: 'open' | 'close' | 'reopen' | 'merge'; at: string; by: Person | undefined }
  | { action: 'update'; at: string; by: undefined; head: string; oldrev: string }

const actions = new Map([
  ['closed', 'close'],
  ['reopened', 'reopen'],
  ['opened', 'reopen'],
  ['merged', 'merge'],
] as const)
const actionOf = (state: string) => [...actions].find(([name]) => name === state)?.[1]

/** Everything that is known to have happened, in order. `states` and `versions` are oldest first. */
export function whatHappened({ created_at, author }: MergeRequestNow, states: StateEvent[], versions: Version[]): Happened[] {
  const changes = states.flatMap(({ state, created_at: at, user }): Happened[] => {
    const action = actionOf(state)
    return action === undefined ? [] : [{ action, at, by: user ?? undefined }]
  })
  const pushes = versions.flatMap(({ head_commit_sha: head, created_at: at }, index): Happened[] => {
    const oldrev = versions[index - 1]?.head_commit_sha
    return oldrev === undefined || oldrev === head ? [] : [{ action: 'update', at, by: undefined, head, oldrev }]
  })
  const all: Happened[] = [{ action: 'open', at: created_at, by: author ?? undefined }, ...changes, ...pushes]
  return all.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

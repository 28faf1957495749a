// The little world that `bin/dev` shows and most tests play in: one public project with one merge request by alice,
// the tasks it names, and a reviewers page that makes bob and carol the people to mention. The sample hooks in
// test/fixtures/hooks tell of the same world.
import { newMergeRequest, newProject, type User } from './forge.ts'
import type { Sandbox } from './sandbox.ts'

export const demoProject = { id: 42, path: 'repos/releng/gitlab-demo' }

export const users: User[] = [
  { id: 11, username: 'alice', name: 'Alice Author', state: 'active' },
  { id: 12, username: 'bob', name: 'Bob Reviewer', state: 'active' },
  { id: 13, username: 'carol', name: 'Carol Writer', state: 'active' },
  { id: 14, username: 'dave', name: 'Dave Elsewhere', state: 'active' },
  { id: 15, username: 'erin', name: 'Erin Blocked', state: 'blocked' },
  { id: 16, username: 'grace', name: 'Grace Assigned', state: 'active' },
  { id: 99, username: 'gitlab-mentions-bot', name: 'Mentions Bot', state: 'active', bot: true },
]

export const reviewersPage = `
People listed here are mentioned on new merge requests of their projects.

== How to add yourself ==
Write <nowiki>{{Gitlab-mention|your name}}</nowiki> under the project.

=== repos/releng/* ===
* {{Gitlab-mention|alice}}
* {{Gitlab-mention|bob}}

=== repos/releng/gitlab-demo ===
* {{Gitlab-mention|carol|file_regexp=<nowiki>\\.md$</nowiki>}}
* {{Gerrit-reviewer|Dave Elsewhere}}
<!-- * {{Gitlab-mention|erin}} is away -->

=== repos/elsewhere/tool ===
* {{Gitlab-mention|dave}}
`.trimStart()

export function seed({ gitlab, phabricator, wiki }: Pick<Sandbox, 'gitlab' | 'phabricator' | 'wiki'>): void {
  const createdAt = '2026-08-20T09:15:22.000Z'
  const merge = newMergeRequest({
    iid: 1,
    title: 'Add a feed of merge requests',
    description: 'Readers can follow merge requests as they happen.\n\nBug: T1',
    author: 'alice',
    assignees: ['alice'],
    reviewers: ['grace'],
    sourceBranch: 'feed',
    createdAt,
    commits: [
      {
        id: '6d7a1f0c52c0b9a4e8f2d3b1c4a5968778695a4b',
        message: 'Say in the README where the feed is\n\nBug: T2\n',
        author: 'alice',
        createdAt: '2026-08-20T09:05:10.000+00:00',
      },
      {
        id: 'b1946ac92492d2347c6235b4d2611184b1946ac9',
        message: 'Add the feed\n',
        author: 'alice',
        createdAt: '2026-08-20T08:58:41.000+00:00',
      },
    ],
    files: [{ path: 'docs/README.md' }, { path: 'src/feed.ts', newFile: true }],
    notes: [{ id: 301, body: 'requested review from @grace', author: 'alice', system: true, createdAt }],
  })
  const secret = newMergeRequest({ id: 1101, iid: 1, title: 'Rotate the signing key', description: 'Bug: T1', author: 'alice' })
  gitlab.state.users.push(...users)
  gitlab.state.projects.push(
    newProject({ ...demoProject, mergeRequests: [merge] }),
    newProject({ id: 43, path: 'repos/releng/secret-demo', visibility: 'private', mergeRequests: [secret] }),
    newProject({ id: 44, path: 'repos/elsewhere/tool' }),
  )
  phabricator.addTask({
    id: 1,
    title: 'Show merge requests as they happen',
    description: 'People want to see merge requests without reloading.',
  })
  phabricator.addTask({ id: 2, title: 'Document the feed' })
  phabricator.addTask({ id: 3, title: 'Only some people may see this', access: 'hidden' })
  phabricator.addTask({ id: 4, title: 'Nobody may comment here', access: 'locked' })
  phabricator.addTask({ id: 5, title: 'Another task' })
  phabricator.addAccount('alice', { realName: 'Alice Author' })
  wiki.save('Git/Reviewers', reviewersPage)
}

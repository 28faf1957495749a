// The list of merge requests, page by page, while it changes under the reader.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openGitLabApi } from '#sinks/gitlab/api.ts'
import { mergeRequestsSince } from '#sinks/gitlab/history.ts'
import { newMergeRequest } from '../sandbox/forge.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { demoProject, seed } from '../sandbox/seed.ts'

const { signal } = new AbortController()
const at = (second: number) => new Date(Date.UTC(2026, 9, 1, 0, 0, second)).toISOString()

test('each merge request comes once, also when many were updated at the same moment, and others are while the list is read', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { gitlab } = sandbox
  const project = gitlab.state.projects.find(({ id }) => id === demoProject.id)
  gitlab.state.projects = project ? [project] : []
  // From the 51st to the 300th all at once, as after an import.
  const all = Array.from({ length: 420 }, (_, index) =>
    newMergeRequest({
      id: 5000 + index,
      iid: 100 + index,
      title: 'One',
      author: 'alice',
      createdAt: at(0),
      updatedAt: at(Math.min(50, index) + Math.max(0, index - 300)),
    }),
  )
  project?.mergeRequests.splice(0, Number.POSITIVE_INFINITY, ...all)
  const api = openGitLabApi({ url: gitlab.url, token: () => gitlab.token, redact: (text) => text })
  const found: number[] = []
  for await (const { iid } of mergeRequestsSince(api, at(1), signal)) {
    found.push(iid)
    // Somebody works on those at the beginning of the list: they move to its end, and all others move up.
    const touched = all[found.length]
    if (found.length < 30 && touched) touched.updatedAt = at(9000 + found.length)
  }
  assert.equal(new Set(found).size, found.length, 'none comes twice')
  assert.deepEqual(
    found.toSorted((a, b) => a - b),
    all.slice(1).map(({ iid }) => iid),
  )
})

// Bodies of many GitLab versions: none is too strange to be read and planned for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#shared/process/json.ts'
import { hooksOfVersions } from '../support/hooks-of-versions.ts'
import { isObject } from '../support/objects.ts'
import { eventOf, inShort, plansOf } from '../support/plans.ts'

const unpublished = /^(user|key|group|subgroup|access_token|gitlab_subscription|feature_flag)(_|$)/

test('every body of every version of GitLab is an event of its kind, with a plan or a reason in every sink', async (t) => {
  for (const { name, text, body, isSecret } of hooksOfVersions()) {
    await t.test(name, () => {
      const event = eventOf(text)
      assert.equal(event.kind, body.object_kind ?? body.event_name)
      assert.deepEqual(event.body, body)
      const plans = inShort(plansOf(text, { FEED_PRIVATE: 'true' }))
      assert.deepEqual(Object.keys(plans), ['phabricator', 'commits', 'gitlab-mentions', 'sse'])
      if (event.kind !== 'merge_request') assert.equal(plans.phabricator, 'nothing: not about a merge request')
      assert.equal(plans.sse !== 'message', unpublished.test(event.kind) || isSecret, plans.sse)
      assert.equal(inShort(plansOf(text)).sse === 'message', plans.sse === 'message' && isPublic(body))
    })
  }
})

// All that is stated about the visibility says "public", and something is stated.
function isPublic({ project, repository, project_visibility }: JsonObject): boolean {
  const stated = [project, repository].flatMap((part) => (isObject(part) ? [part.visibility_level, part.visibility] : []))
  const words = [...stated, project_visibility].filter((word) => word !== undefined)
  return words.length > 0 && words.every((word) => word === 20 || word === 'public')
}

test('the actions and projects of bodies old and new are read', () => {
  const events = new Map(hooksOfVersions().map(({ name, text }) => [name, eventOf(text)]))
  const told = (name: string) => {
    const event = events.get(name)
    assert.ok(event, name)
    const { kind, action, project, visibility, username, mergeRequest } = event
    return { kind, action, path: project?.path, visibility, username, iid: mergeRequest?.iid }
  }
  for (const version of ['', ', a little older', ', older', ', of the first years']) {
    assert.deepEqual(told(`merge request opened${version}`), {
      kind: 'merge_request',
      action: 'open',
      path: 'harbour/tides',
      visibility: 'public',
      username: 'marta',
      iid: 4,
    })
    assert.equal(told(`merge request opened in private${version}`).visibility, 'private')
    assert.equal(told(`merge request of the system${version}`).action, undefined)
  }
  assert.deepEqual(told('project_destroy'), {
    kind: 'project_destroy',
    action: undefined,
    path: 'harbour/tides',
    visibility: 'internal',
    username: undefined,
    iid: undefined,
  })
  assert.equal(told('user_add_to_team').visibility, 'private')
})

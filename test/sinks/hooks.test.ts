// Bodies of many GitLab versions, where they are at hand: none is too strange to be read and planned for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#shared/event/json.ts'
import { isObject } from '../support/objects.ts'
import { eventOf, inShort, plansOf } from '../support/plans.ts'
import { noHooks, recordedHooks } from '../support/recorded-hooks.ts'

const unpublished = /^(user|key|group|subgroup|access_token|gitlab_subscription|feature_flag)(_|$)/

test('every body that GitLab is known to have sent is an event of its kind, with a plan or a reason in every sink', {
  skip: noHooks,
}, async (t) => {
  for (const { name, text, body } of recordedHooks()) {
    await t.test(name, () => {
      const event = eventOf(text)
      assert.equal(event.kind, body.object_kind ?? body.event_name)
      assert.deepEqual(event.body, body)
      const plans = inShort(plansOf(text, { FEED_PRIVATE: 'true' }))
      assert.deepEqual(Object.keys(plans), ['phabricator', 'commits', 'gitlab-mentions', 'sse'])
      if (event.kind !== 'merge_request') assert.equal(plans.phabricator, 'nothing: not about a merge request')
      const isSecret = name.includes('note_snippet') || name === 'gitlab4j__issue_event'
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

test('the actions and projects of well-known bodies are read', { skip: noHooks }, () => {
  const events = new Map([...recordedHooks()].map(({ name, text }) => [name, eventOf(text)]))
  const told = (name: string) => {
    const event = events.get(name)
    assert.ok(event, name)
    const { kind, action, project, visibility, username, mergeRequest } = event
    return { kind, action, path: project?.path, visibility, username, iid: mergeRequest?.iid }
  }
  assert.deepEqual(told('go-gitlab__hook_merge_request'), {
    kind: 'merge_request',
    action: 'open',
    path: 'gitlabhq/gitlab-test',
    visibility: 'public',
    username: 'user1',
    iid: 1,
  })
  assert.deepEqual(told('gitlab-docs__system_project_destroy'), {
    kind: 'project_destroy',
    action: undefined,
    path: 'jsmith/underscore',
    visibility: 'internal',
    username: undefined,
    iid: undefined,
  })
  assert.equal(told('gitlab-docs__merge_request_open_v19_complete').visibility, 'private')
  assert.equal(told('go-gitlab__system_user_add_to_team').visibility, 'private')
  assert.equal(told('gitlab4j__merge_request_system_hook_event').action, undefined)
})

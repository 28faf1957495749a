// What of an event the public may see. When in doubt it sees nothing.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { messageOf, messageRules } from '#shared/event/message.ts'
import { forThePublic, whyPrivate } from '#shared/event/privacy.ts'
import { type Json, type JsonObject, readObject } from '#shared/process/json.ts'
import { hook } from '../support/fixtures.ts'
import { hooksOfVersions } from '../support/hooks-of-versions.ts'
import { bodies } from '../support/kinds-of-bodies.ts'
import { isObject } from '../support/objects.ts'
import { eventOf, plansOf } from '../support/plans.ts'

const isPublished = (body: object, feedPrivate = false) => whyPrivate(eventOf(body), feedPrivate) === undefined
const open = { id: 42, path_with_namespace: 'a/b', visibility_level: 20 }
const level = (visibility_level: unknown) => ({ ...open, visibility_level })

describe('the visibility is public only when that is stated and nowhere contradicted:', () => {
  const rows: Array<[what: string, body: object, published: boolean]> = [
    ['20', { project: level(20) }, true],
    ['10, internal', { project: level(10) }, false],
    ['0, private', { project: level(0) }, false],
    ['30, which nobody knows', { project: level(30) }, false],
    ['"20", a text', { project: level('20') }, false],
    ['true', { project: level(true) }, false],
    ['null', { project: level(null) }, false],
    ['no level', { project: { path_with_namespace: 'a/b' } }, false],
    ['no project', {}, false],
    ['a project that is a list', { project: [level(20)] }, false],
    ['"public" in words', { project_visibility: 'public' }, true],
    ['"internal" in words', { project_visibility: 'internal' }, false],
    ['"private" in words', { project_visibility: 'private' }, false],
    ['"visibilitylevel|private", as old versions wrote', { project_visibility: 'visibilitylevel|private' }, false],
    ['"Public"', { project_visibility: 'Public' }, false],
    ['the repository alone', { repository: level(20) }, true],
    ['a private repository', { repository: level(0) }, false],
    ['a public project with a private repository', { project: level(20), repository: level(0) }, false],
    ['a private project with a public repository', { project: level(0), repository: level(20) }, false],
    ['a public project, internal in words', { project: level(20), project_visibility: 'internal' }, false],
    ['a public source alone', { object_attributes: { source: level(20), target: level(20) } }, false],
    ['a public project with a private target', { project: level(20), object_attributes: { target: level(0) } }, false],
    ['a public project with a text', { project: level(20), repository: level('0') }, false],
    ['a public project with a private snippet’s level', { project: level(20), a: [{ b: { visibility: 'private' } }] }, false],
    [
      'a public project that is public in every word',
      { project: { ...level(20), visibility: 'public' }, project_visibility: 'public' },
      true,
    ],
  ]
  for (const [what, body, published] of rows) {
    test(what, () => {
      assert.equal(isPublished({ object_kind: 'push', ...body }), published)
      assert.equal(isPublished({ object_kind: 'push', ...body }, true), true, 'with FEED_PRIVATE')
    })
  }
})

describe('events of kinds that are not known to be harmless are never published, whichever word says it:', () => {
  const kinds = `user_create user_destroy user_rename user_failed_login key_create key_destroy user_add_to_team
    user_remove_from_team user_update_for_team user_add_to_group user_remove_from_group user_update_for_group
    user_access_request_to_project user_access_request_revoked_for_project user_access_request_to_group
    user_access_request_revoked_for_group group_create group_destroy group_rename subgroup_create subgroup_destroy
    gitlab_subscription_member_approval gitlab_subscription_member_approvals access_token expiring_access_token
    deploy_token deploy_key member members user key group User_Create userCreate useradd USER-CREATE feature_flag vulnerability
    teapot pushes`.split(/\s+/)
  for (const kind of kinds) {
    test(kind, () => {
      for (const body of [{ event_name: kind }, { object_kind: kind, event_name: 'push' }, { object_kind: 'push', event_name: kind }]) {
        const whole = { ...body, project: open, project_visibility: 'public' }
        assert.equal(isPublished(whole), false)
        assert.equal(isPublished(whole, true), false, 'with FEED_PRIVATE')
      }
    })
  }
})

describe('events about public projects are published:', () => {
  const kinds = `push tag_push merge_request repository_update issue work_item note pipeline build job deployment release
    wiki_page milestone emoji project_create project_destroy project_rename project_transfer project_update canary
    Push MergeRequest tag-push PIPELINE`.split(/\s+/)
  for (const kind of kinds) test(kind, () => assert.equal(isPublished({ event_name: kind, project: open }), true))

  test('with a second word that is empty', () => {
    assert.equal(isPublished({ object_kind: 'push', event_name: null, project: open }), true)
    assert.equal(isPublished({ object_kind: '', event_name: 'push', project: open }), true)
  })
})

test('a body that names no kind, or none in a word, is never published', () => {
  for (const kind of [{}, { object_kind: 7 }, { object_kind: ['push'], event_name: 'push' }, { object_kind: 'push', event_name: { a: 1 } }])
    assert.equal(isPublished({ ...kind, project: open }, true), false)
})

describe('what is confidential in a public project is never published:', () => {
  const rows: Array<[what: string, body: object]> = [
    ['an issue', { object_kind: 'issue', object_attributes: { confidential: true } }],
    ['an issue by its type alone', { object_kind: 'issue', event_type: 'confidential_issue' }],
    ['a work item', { object_kind: 'work_item', object_attributes: { confidential: true } }],
    ['a note by its type alone', { object_kind: 'note', event_type: 'confidential_note' }],
    ['a note', { object_kind: 'note', object_attributes: { confidential: true } }],
    ['an internal note', { object_kind: 'note', object_attributes: { internal: true } }],
    ['a note on a confidential issue', { object_kind: 'note', object_attributes: { note: 'x' }, issue: { confidential: true } }],
    ['an emoji on a confidential issue', { object_kind: 'emoji', issue: { confidential: true } }],
    ['a note on a confidential work item', { object_kind: 'note', work_item: { confidential: true } }],
    ['an issue in another word', { object_kind: 'issue', object_attributes: { confidential: 'true' } }],
    ['an issue in one more word', { object_kind: 'issue', object_attributes: { confidential: 1 } }],
    ['an issue a level deeper', { object_kind: 'note', object_attributes: { noteable: [{ issue: { confidential: true } }] } }],
    ['an issue that has become so', { object_kind: 'issue', changes: { confidential: { previous: false, current: true } } }],
    ['a work item by its type, in capitals', { object_kind: 'work_item', event_type: 'Confidential_Work_Item' }],
    ['a note on a private snippet', { object_kind: 'note', snippet: { visibility_level: 0, content: 'x' } }],
  ]
  for (const [what, body] of rows) {
    test(what, () => {
      assert.equal(isPublished({ ...body, project: open }), false)
      assert.equal(isPublished({ ...body, project: open }, true), false, 'with FEED_PRIVATE')
    })
  }

  test('what says that it is not confidential is', () => {
    assert.ok(isPublished({ object_kind: 'issue', event_type: 'issue', object_attributes: { confidential: false }, project: open }))
    assert.ok(isPublished({ object_kind: 'note', object_attributes: { internal: false }, issue: { confidential: false }, project: open }))
  })
})

const person = { id: 11, name: 'Alice', username: 'alice', avatar_url: null, email: 'alice@private.example' }
const { email: _, ...shown } = person

describe('addresses of accounts are taken out of', () => {
  const rows: Array<[what: string, payload: JsonObject, cleaned: JsonObject]> = [
    ['`user`', { user: person }, { user: shown }],
    ['`assignees`', { assignees: [person, person] }, { assignees: [shown, shown] }],
    ['`reviewers`', { reviewers: [person] }, { reviewers: [shown] }],
    ['`approver`', { approver: person }, { approver: shown }],
    ['an approver without a user name', { approver: { name: 'A', email: 'a@b.example', email_hash: 1 } }, { approver: { name: 'A' } }],
    ['whoever has a user name', { x: [{ y: { username: 'a', work_email: null } }] }, { x: [{ y: { username: 'a' } }] }],
    ['the author of a note', { note: { author: { name: 'A', email: 'a@b.example' } } }, { note: { author: { name: 'A' } } }],
    ['an author of a commit with an account', { commits: [{ author: person }] }, { commits: [{ author: shown }] }],
    ['`owners`', { owners: [{ name: 'A', email: 'a@b.example' }] }, { owners: [{ name: 'A' }] }],
    ['`assignee`', { object_attributes: { assignee: person } }, { object_attributes: { assignee: shown } }],
    ['`owner_email`', { owner_name: 'A', owner_email: 'a@b.example' }, { owner_name: 'A' }],
    ['`user_email`', { user_name: 'A', user_email: 'a@b.example' }, { user_name: 'A' }],
    [
      'a depth',
      { a: [{ b: { user: person, user_email: 'x', c: [[{ owners: [person] }]] } }] },
      { a: [{ b: { user: shown, c: [[{ owners: [shown] }]] } }] },
    ],
    [
      'a change',
      { changes: { assignees: { previous: [], current: [person] } } },
      { changes: { assignees: { previous: [], current: [shown] } } },
    ],
    [
      'a change that is a pair',
      { changes: { reviewers: [[person], [person, person]] } },
      { changes: { reviewers: [[shown], [shown, shown]] } },
    ],
    ['the user of a job', { builds: [{ user: person, runner: { id: 1 } }] }, { builds: [{ user: shown, runner: { id: 1 } }] }],
  ]
  for (const [what, payload, cleaned] of rows) test(what, () => assert.deepEqual(forThePublic(payload), cleaned))
})

describe('what stays is', () => {
  const rows: Array<[what: string, payload: JsonObject]> = [
    ['the authors of commits', { commits: [{ id: 'a', author: { name: 'A', email: 'a@commits.example' } }] }],
    ['the author of the last commit', { object_attributes: { last_commit: { author: { name: 'A', email: 'a@commits.example' } } } }],
    ['the commit of a job', { commit: { author_name: 'A', author_email: 'a@commits.example' } }],
    ['a text in which an address stands', { object_attributes: { description: 'Mail alice@private.example' } }],
    ['a public fork', { object_attributes: { source: { visibility_level: 20, path_with_namespace: 'a/b' } } }],
    ['the source of a pipeline, which is a word', { object_attributes: { source: 'push' } }],
    ['no source', { object_attributes: { source: null } }],
    ['odd keys and values', JSON.parse('{"__proto__": {"a": 1}, "constructor": [], "": null, "a.b": 1e300, "ä\\u0000": "\\ud800"}')],
  ]
  for (const [what, payload] of rows) test(what, () => assert.deepEqual(forThePublic(payload), payload))
})

test('a fork that is not public, or does not say so, is taken out with its branch and commit, and nothing else', () => {
  const body = hook('merge-request-open')
  assert.ok(isObject(body.object_attributes))
  const { source, source_branch, source_project_id, last_commit, ...rest } = body.object_attributes
  assert.ok(isObject(source) && source_branch && source_project_id && last_commit)
  const { visibility_level: _level, ...same } = source
  const unstated = { ...same, id: 43, path_with_namespace: 'secret/fork' }
  for (const fork of [{ ...source, visibility_level: 0 }, { ...unstated, visibility_level: 10 }, unstated]) {
    const cleaned = forThePublic({ ...body, object_attributes: { ...rest, source: fork, source_branch, source_project_id, last_commit } })
    assert.deepEqual(cleaned, forThePublic({ ...body, object_attributes: rest }))
  }
})

describe('what belongs to another project is taken out unless that is stated to be public:', () => {
  const project = { id: 42, path_with_namespace: 'a/b', visibility_level: 20 }
  const other = { id: 43, path_with_namespace: 'secret/x' }
  const upstream = { project: other, pipeline_id: 30, job_id: 3401 }
  const fork = { iid: 1, source_branch: 'x', source_project_id: 43, target_project_id: 42 }
  const rows: Array<[what: string, payload: JsonObject, cleaned: JsonObject]> = [
    ['the pipeline that started this one', { source_pipeline: upstream }, { source_pipeline: {} }],
    ['where a project was', { old_path_with_namespace: 'secret/b' }, {}],
    ['the branch of a merge request', { merge_request: fork }, { merge_request: { iid: 1, target_project_id: 42 } }],
    ['what a note quotes', { merge_request: fork, commit: { id: 'a' } }, { merge_request: { iid: 1, target_project_id: 42 } }],
    ['a merge request elsewhere', { merge_request: { ...fork, source_project_id: 42, target_project_id: 43 } }, {}],
  ]
  for (const [what, payload, cleaned] of rows)
    test(what, () => assert.deepEqual(forThePublic({ project, ...payload }), { project, ...cleaned }))

  test('it stays when it is public, or the same project', () => {
    const own = { id: 42, path_with_namespace: 'a/b' }
    for (const one of [{ ...other, visibility_level: 20 }, own]) {
      const payload = { project, source_pipeline: { ...upstream, project: one }, wiki: { path_with_namespace: 'a/b.wiki' } }
      assert.deepEqual(forThePublic(payload), payload)
    }
    const inside = { project, merge_request: { ...fork, source_project_id: 42 }, commit: { id: 'a' } }
    assert.deepEqual(forThePublic(inside), inside)
  })
})

test('the message is the payload as it was sent, less the addresses, and `meta`', () => {
  const body = hook('merge-request-open')
  assert.ok(isObject(body.user) && Array.isArray(body.assignees) && Array.isArray(body.reviewers))
  const strip = (value: Json) => {
    assert.ok(isObject(value))
    const { email: hidden, ...others } = value
    assert.ok(hidden)
    return others
  }
  const expected = { ...body, user: strip(body.user), assignees: body.assignees.map(strip), reviewers: body.reviewers.map(strip) }
  const [planned] = [plansOf(body).get('sse')].flatMap((plan) => (Array.isArray(plan) ? plan : []))
  assert.ok(planned && isObject(planned.data) && typeof planned.data.message === 'string')
  const message = readObject(planned.data.message)
  assert.ok(message)
  const { meta, ...payload } = message
  assert.deepEqual(payload, expected)
  assert.ok(isObject(meta))
  const uri = 'https://gitlab.example/repos/releng/gitlab-demo/-/merge_requests/1'
  const about = { domain: 'gitlab.example', uri, $schema: '/schemas/merge_request.json' }
  assert.deepEqual({ ...meta, dt: 'x' }, { id: 'one', dt: 'x', kind: 'merge_request', stream: 'gitlab-webhooks', ...about })
  assert.ok(!planned.data.message.includes('\n'))
})

const project = { web_url: 'https://gitlab.example/a/b' }
const told = 'https://gitlab.example/a/b/-/issues/1'
for (const [what, body, uri] of [
  ['the object', { project, object_attributes: { url: told } }, told],
  ['what an emoji was given to', { project, object_attributes: { awarded_on_url: told } }, told],
  ['a release', { project, url: told }, told],
  ['the project', { project, object_attributes: { url: 'git@gitlab.example:a/b.git' } }, project.web_url],
  ['the repository', { repository: { homepage: project.web_url, url: 'git@gitlab.example:a/b.git' } }, project.web_url],
  ['nothing that has one', { object_attributes: { url: 'javascript:alert(1)' } }, undefined],
  ['an address without its account', { object_attributes: { url: 'https://me:secret@gitlab.example/x' } }, 'https://gitlab.example/x'],
] as const)
  test(`meta.uri is the address of ${what}, and meta stands at the end of the message`, () => {
    const message = messageOf(eventOf({ object_kind: 'push', meta: 'of the sender', ...body }), 'https://gitlab.example:8443/gitlab')
    const { meta } = JSON.parse(message)
    assert.deepEqual([meta.uri, meta.domain, meta.$schema], [uri, 'gitlab.example:8443', '/schemas/push.json'])
    assert.ok(message.endsWith(`,"meta":${JSON.stringify(meta)}}`))
  })

test('no address of an account is on the feed, of all bodies of all versions of GitLab', () => {
  for (const { name, body } of hooksOfVersions().filter((hook) => isPublished(hook.body, true))) {
    const left = addressesIn(forThePublic(body)).filter(({ path }) => !/author|committer/.test(path))
    assert.deepEqual(left, [], name)
  }
})

function addressesIn(value: Json, path = ''): Array<{ path: string; email: Json }> {
  if (Array.isArray(value)) return value.flatMap((item) => addressesIn(item, path))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    /(^|_)email$/.test(key) ? [{ path: `${path}.${key}`, email: inner }] : addressesIn(inner, `${path}.${key}`),
  )
}

const key = fc.constantFrom('user', 'assignees', 'reviewers', 'owners', 'commits', 'author', 'email', 'user_email', 'source', 'a', 'b')
const { payload } = fc.letrec<{ payload: Json }>((tie) => ({
  payload: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom<Json>('x@y.example', 1, null, true),
    fc.array(tie('payload'), { maxLength: 4 }),
    fc.dictionary(key, tie('payload'), { maxKeys: 5 }),
  ),
}))

test('whatever the payload, cleaning leaves nothing behind, adds nothing and can be done twice', () => {
  fc.assert(
    fc.property(fc.dictionary(key, payload), (given) => {
      const before = JSON.stringify(given)
      const cleaned = forThePublic(given)
      assert.equal(JSON.stringify(given), before)
      assert.deepEqual(forThePublic(cleaned), cleaned)
      assert.doesNotMatch(JSON.stringify(cleaned), /"user_email":("|\[|\{)/)
      assert.ok(isWithin(cleaned, given))
    }),
    { numRuns: 2000 },
  )
})

// Whether `part` is `whole` with keys, or items, left out.
function isWithin(part: Json, whole: Json): boolean {
  if (Array.isArray(part)) {
    if (!Array.isArray(whole)) return false
    const rest = [...whole]
    return part.every((item) => rest.splice(0, rest.findIndex((one) => isWithin(item, one)) + 1).length > 0)
  }
  if (!isObject(part)) return part === whole
  return (
    isObject(whole) && Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && isWithin(value, whole[name] ?? null))
  )
}

test('whatever changes what is published of a body changes the number of the rules, too', () => {
  const dt = '2026-01-01T00:00:00.000Z'
  const messages = [
    ...hooksOfVersions().map(({ body }) => body),
    ...Object.values(bodies),
    { ...hook('push'), message: 'x'.repeat(70_000) },
  ].map((body) => {
    const event = eventOf(body, dt)
    return whyPrivate(event, false) === undefined ? messageOf(event, 'https://gitlab.example') : ''
  })
  const hash = createHash('sha256').update(messages.join('\n')).digest('hex').slice(0, 16)
  const hint = 'Where only the bodies of this test have changed, take the new hash. Else raise messageRules as well.'
  assert.deepEqual({ rules: messageRules, hash }, { rules: 1, hash: '23dceb763c63a55b' }, hint)
})

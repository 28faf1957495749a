// Which events have which consequences: bodies in, plans out.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hook } from '../support/fixtures.ts'
import { eventOf, inShort, phabricatorUrl, plansOf } from '../support/plans.ts'

type Body = ReturnType<typeof hook>
type Short = Record<string, string>

const notAbout = 'nothing: not about a merge request'
const notPublic = 'nothing: the project is private'
const notStated = 'nothing: it does not say that the project is public'
const noLine = 'nothing: no `Bug:` line in the description'
const noneIsThat = '“**Bug:** T142” is none, it takes a line with nothing on it but `Bug: T123`'
const test_ = 'nothing: no action: a test delivery'
const noCommits = 'nothing: the update brings no commits'
const noChange = 'nothing: the update changed neither the code nor the target, nor made it ready'
const noNewTask = 'nothing: the update brings no task that was not named before'
const unnamed = 'nothing: it does not say which merge request it is about'
const elsewhere = { phabricator: notAbout, commits: notAbout, 'gitlab-mentions': notAbout }
const unpublished = (kind: string) => `nothing: events of this kind are never published (${kind})`
const silent = (reason: string) => ({ phabricator: reason, commits: reason, 'gitlab-mentions': reason })

// biome-ignore format: a table
const fixtures: Record<string, Short> = {
  'merge-request-open': { phabricator: 'T1', commits: 'commits', 'gitlab-mentions': 'note', sse: 'message' },
  'merge-request-reopen': { phabricator: 'T1', commits: 'commits', 'gitlab-mentions': 'note', sse: 'message' },
  'merge-request-close': { phabricator: 'T1', commits: 'commits', 'gitlab-mentions': 'nothing: the merge request is closed', sse: 'message' },
  'merge-request-merge': { phabricator: 'T1', commits: 'commits', 'gitlab-mentions': 'nothing: the merge request is merged', sse: 'message' },
  'merge-request-update-code': { phabricator: noNewTask, commits: 'commits', 'gitlab-mentions': 'note', sse: 'message' },
  'merge-request-update-description': { phabricator: 'T2', commits: noCommits, 'gitlab-mentions': noChange, sse: 'message' },
  'merge-request-update-noise': { phabricator: noNewTask, commits: noCommits, 'gitlab-mentions': noChange, sse: 'message' },
  'merge-request-private': { phabricator: 'T1', commits: 'commits', 'gitlab-mentions': 'note', sse: notPublic },
  'test-merge-request': { ...silent(test_), sse: 'message' },
  'test-repository-update': { ...elsewhere, sse: notStated },
  push: { ...elsewhere, sse: 'message' },
  'tag-push': { ...elsewhere, sse: 'message' },
  'repository-update': { ...elsewhere, sse: 'message' },
  'project-create': { ...elsewhere, sse: 'message' },
  'user-create': { ...elsewhere, sse: unpublished('user_create') },
  'key-create': { ...elsewhere, sse: unpublished('key_create') },
  'member-approval': { ...elsewhere, sse: unpublished('gitlab_subscription_member_approvals') },
}

describe('the plans for', () => {
  for (const [name, expected] of Object.entries(fixtures)) {
    test(name, () => assert.deepEqual(inShort(plansOf(hook(name))), expected))
  }
})

function object(value: unknown): Body {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value))
  return value as Body
}

/** The open fixture with other attributes, and other parts beside them; what is undefined is left out. */
function merge(attributes: object, parts: object = {}): object {
  const body = hook('merge-request-open')
  return { ...body, ...parts, object_attributes: { ...object(body.object_attributes), ...attributes } }
}

const update = (attributes: object, changes: unknown) => merge({ action: 'update', ...attributes }, { changes })
const without = (name: string) => ({ [name]: undefined })

type Row = [what: string, body: object, expected: Short]

function table(title: string, rows: Row[]): void {
  describe(title, () => {
    for (const [what, body, expected] of rows) {
      test(what, () => {
        const plans = inShort(plansOf(body))
        assert.deepEqual(Object.fromEntries(Object.keys(expected).map((sink) => [sink, plans[sink]])), expected)
      })
    }
  })
}

const all = { phabricator: 'T1', commits: 'commits', 'gitlab-mentions': 'note' }

table('a body that is unusual, but says enough, has its effects:', [
  ['`source` is null: the fork was deleted', merge({ source: null }), { ...all, sse: 'message' }],
  ['`last_commit` is null', merge({ last_commit: null }), all],
  ['`last_commit` is missing', merge(without('last_commit')), all],
  ['`project` is missing; its visibility is then unknown', merge({}, without('project')), { ...all, sse: notStated }],
  ['`project.id` is missing', merge({}, { project: { path_with_namespace: 'a/b', visibility_level: 20 } }), { ...all, sse: 'message' }],
  ['`user` is missing', merge({}, without('user')), all],
  ['`changes` is missing', merge({}, without('changes')), all],
  ['`changes` is null', merge({}, { changes: null }), all],
  ['`labels` is null', merge({}, { labels: null }), all],
  ['`state` is missing', merge(without('state')), all],
  ['`event_type` and `draft` are missing, as in old versions', merge(without('draft'), without('event_type')), all],
  ['`title` is missing', merge(without('title')), all],
  ['`url` is missing', merge(without('url')), all],
  ['`target_branch` is missing', merge(without('target_branch')), all],
  ['`updated_at` is no date', merge({ updated_at: 'yesterday' }), all],
  ['`system` is a word', merge({ system: 'false' }), all],
  ['fields it has never had', merge({ surprise: { deep: [1, null] } }, { __proto__: null, constructor: 1 }), all],
])

table('a body that says too little has no effects:', [
  ['no description', merge({ description: null }), { phabricator: noLine, commits: 'commits' }],
  ['an empty description', merge({ description: '' }), { phabricator: noLine }],
  ['a description that is a number', merge({ description: 7 }), { phabricator: noLine }],
  ['a line that looks like one', merge({ description: 'Mend it\n\n**Bug:** T142' }), { phabricator: `${noLine}: ${noneIsThat}` }],
  ['no `object_attributes`', { object_kind: 'merge_request' }, { ...silent(unnamed), sse: notStated }],
  ['`object_attributes` is a list', { ...merge({}), object_attributes: [1] }, silent(unnamed)],
  ['no number', merge(without('iid')), silent(unnamed)],
  ['a number that no merge request has', merge({ iid: 0 }), silent(unnamed)],
  ['a negative number', merge({ iid: -1 }), silent(unnamed)],
  ['a broken number', merge({ iid: 1.5 }), silent(unnamed)],
  ['an immense number', merge({ iid: 2 ** 40 }), silent(unnamed)],
  ['no project at all', merge(without('target'), without('project')), silent(unnamed)],
  ['an empty object', {}, { ...elsewhere, sse: unpublished('unknown') }],
  ['a kind that is no word', { object_kind: 7, event_name: null }, { ...elsewhere, sse: unpublished('unknown') }],
  ['a kind nobody knows', { object_kind: 'teapot', project: object(hook('push').project) }, { ...elsewhere, sse: unpublished('teapot') }],
])

table('GitLab’s own acts and its test deliveries do nothing:', [
  ['`system` is true', merge({ system: true }), silent('nothing: made by GitLab itself, not by a person')],
  ['an update by the system', update({ system: true, oldrev: 'a' }, {}), silent('nothing: made by GitLab itself, not by a person')],
  ['no action', merge(without('action')), silent(test_)],
  ['an empty action', merge({ action: '' }), silent(test_)],
  ['the body of a push for a tag push', { ...hook('push'), object_kind: 'tag_push' }, elsewhere],
])

// biome-ignore format: a table
table('other actions bring neither comment nor mention:', ['approved', 'approval', 'unapproved', 'unapproval', 'teapot', 'toString', '__proto__'].map(
  (action): Row => [
    action,
    merge({ action }),
    {
      phabricator: `nothing: action ${action} brings no comment`,
      commits: `nothing: action ${action} brings no comment`,
      'gitlab-mentions': `nothing: action ${action} brings no mentions`,
      sse: 'message',
    },
  ],
))

const edited = (previous: unknown, current: string, ...pair: unknown[]) =>
  update({ description: current }, { description: pair.length > 0 ? pair : { previous, current } })

table('an update comments on tasks that the description had not named before:', [
  ['one was added', edited('Bug: T1', 'Bug: T1\nBug: T5'), { phabricator: 'T5', commits: noCommits }],
  ['several were added', edited('', 'Bug: T1, T5'), { phabricator: 'T1 T5' }],
  ['there was no description', edited(null, 'Bug: T1'), { phabricator: 'T1' }],
  ['one was taken away', edited('Bug: T1\nBug: T5', 'Bug: T1'), { phabricator: noNewTask }],
  ['all were taken away', edited('Bug: T1', ''), { phabricator: noLine }],
  ['the order changed', edited('Bug: T1\nBug: T5', 'Bug: T5, T01'), { phabricator: noNewTask }],
  ['one came out of a comment', edited('<!-- Bug: T5 -->', 'Bug: T5'), { phabricator: 'T5' }],
  ['the change is a pair', edited(null, 'Bug: T1\nBug: T5', 'Bug: T1', 'Bug: T1\nBug: T5'), { phabricator: 'T5' }],
  ['something else changed', update({}, { title: { previous: 'a', current: 'b' } }), { phabricator: noNewTask }],
  ['nothing changed', update({}, {}), { phabricator: noNewTask }],
  ['it has new commits', update({ oldrev: 'abc' }, {}), { phabricator: noNewTask, commits: 'commits' }],
  [
    'both',
    { ...edited('', 'Bug: T5'), object_attributes: { ...object((edited('', 'Bug: T5') as Body).object_attributes), oldrev: 'abc' } },
    { phabricator: 'T5', commits: 'commits' },
  ],
  ['its changes are no object', update({}, [1, 2]), { phabricator: noNewTask }],
  [
    'one change is nonsense',
    update({ description: 'Bug: T1' }, { title: 7, description: { previous: '', current: '' } }),
    { phabricator: 'T1' },
  ],
])

const change = (name: string, previous: unknown, current: unknown) => ({ [name]: { previous, current } })

table('an update mentions when it changed', [
  ['the code', update({ oldrev: 'abc' }, {}), { 'gitlab-mentions': 'note' }],
  ['the target', update({}, change('target_branch', 'main', 'next')), { 'gitlab-mentions': 'note' }],
  ['a draft to ready', update({}, change('draft', true, false)), { 'gitlab-mentions': 'note' }],
  ['a draft of old versions to ready', update({}, change('work_in_progress', true, false)), { 'gitlab-mentions': 'note' }],
  ['the mark of a draft in the title', update({}, change('title', 'Draft: Add x', 'Add x')), { 'gitlab-mentions': 'note' }],
  ['the old mark of a draft in the title', update({}, change('title', 'WIP: Add x', 'Add x')), { 'gitlab-mentions': 'note' }],
])

table('an update does not mention when it changed', [
  ['ready to draft', update({}, change('draft', false, true)), { 'gitlab-mentions': noChange }],
  ['the title of a draft', update({}, change('title', 'Draft: a', 'Draft: b')), { 'gitlab-mentions': noChange }],
  ['another title', update({}, change('title', 'a', 'b')), { 'gitlab-mentions': noChange }],
  ['labels', update({}, change('labels', [], [{ id: 1 }])), { 'gitlab-mentions': noChange }],
  ['reviewers asked again, as a pair of lists', update({}, { reviewers: [[{ id: 1 }], [{ id: 1 }]] }), { 'gitlab-mentions': noChange }],
  [
    'the code of a closed one',
    update({ state: 'closed', oldrev: 'abc' }, {}),
    { 'gitlab-mentions': 'nothing: the merge request is closed' },
  ],
  [
    'the code of a locked one',
    update({ state: 'locked', oldrev: 'abc' }, {}),
    { 'gitlab-mentions': 'nothing: the merge request is locked' },
  ],
])

test('drafts are mentioned unless MENTION_DRAFTS is false', () => {
  for (const body of [merge({ draft: true }), merge({ draft: undefined, work_in_progress: true })]) {
    assert.equal(inShort(plansOf(body))['gitlab-mentions'], 'note')
    assert.equal(inShort(plansOf(body, { MENTION_DRAFTS: 'false' }))['gitlab-mentions'], 'nothing: the merge request is a draft')
  }
  const ready = update({ draft: false }, change('draft', true, false))
  assert.equal(inShort(plansOf(ready, { MENTION_DRAFTS: 'false' }))['gitlab-mentions'], 'note')
})

test('events of other projects are published when FEED_PRIVATE is true, except those about people', () => {
  const sse = (body: object) => inShort(plansOf(body, { FEED_PRIVATE: 'true' })).sse
  assert.equal(sse(hook('merge-request-private')), 'message')
  assert.equal(sse(hook('test-repository-update')), 'message')
  assert.equal(sse(hook('user-create')), unpublished('user_create'))
})

test('only the sinks that are enabled plan', () => {
  const names = (more: Record<string, string>) => [...plansOf(hook('merge-request-open'), more).keys()]
  assert.deepEqual(names({ SINKS_ENABLED: 'sse' }), ['sse'])
  assert.deepEqual(names({ SINKS_ENABLED: 'phabricator' }), ['phabricator', 'commits'])
  assert.deepEqual(names({ SINKS_ENABLED: 'phabricator', GITLAB_TOKEN: '' }), ['phabricator'])
  assert.deepEqual(names({ SINKS_ENABLED: 'gitlab-mentions,sse', PHABRICATOR_TOKEN: '' }), ['gitlab-mentions', 'sse'])
})

test('an effect carries what it needs and its place in the order, and nothing else', () => {
  const plans = plansOf(merge({ description: `Bug: T1, ${phabricatorUrl}/T5` }))
  const text =
    'alice opened https://gitlab.example/repos/releng/gitlab-demo/-/merge_requests/1\n\n%%%[repos/releng/gitlab-demo@main] Add a feed of merge requests%%%'
  assert.deepEqual(plans.get('phabricator'), [
    { sink: 'phabricator', about: 'T1', order: '42!1 T1', after: { sink: 'commits', order: '42!1' }, data: { task: 1, text } },
    { sink: 'phabricator', about: 'T5', order: '42!1 T5', after: { sink: 'commits', order: '42!1' }, data: { task: 5, text } },
  ])
  assert.deepEqual(plans.get('gitlab-mentions'), [
    {
      sink: 'gitlab-mentions',
      about: 'note',
      order: '42!1',
      data: {
        projectId: 42,
        projectPath: 'repos/releng/gitlab-demo',
        iid: 1,
        link: 'https://gitlab.example/repos/releng/gitlab-demo/-/merge_requests/1',
      },
    },
  ])
})

test('a plan is the same whenever it is made', () => {
  const [once, twice] = [plansOf(hook('merge-request-open')), plansOf(hook('merge-request-open'))]
  for (const name of ['phabricator', 'commits', 'gitlab-mentions'] as const) assert.deepEqual(once.get(name), twice.get(name))
})

describe('when an event happened', () => {
  const at = '2026-11-23T12:00:00.000Z'
  const since = (updated_at: unknown) => eventOf(merge({ updated_at }), at)
  const rows: Array<[told: unknown, since: string, again: boolean]> = [
    ['2026-11-23 11:59:58 UTC', '2026-11-23T11:59:58.000Z', false],
    ['2026-11-23T11:59:58Z', '2026-11-23T11:59:58.000Z', false],
    ['2026-11-23T11:59:58.123Z', '2026-11-23T11:59:58.123Z', false],
    ['2026-11-23T13:59:58.123+02:00', '2026-11-23T11:59:58.123Z', false],
    ['2026-11-23 11:55:00 UTC', '2026-11-23T11:55:00.000Z', false],
    ['2026-11-23 11:54:59 UTC', '2026-11-23T11:54:59.000Z', true],
    ['2026-11-16 12:00:00 UTC', '2026-11-16T12:00:00.000Z', true],
    ['2006-11-23 12:00:00 UTC', '2006-11-23T12:00:00.000Z', true],
    ['2026-11-24 11:40:00 UTC', at, false],
    // What does not say when it happened may be old.
    ['soon', at, true],
    [null, at, true],
    [7, at, true],
  ]
  for (const [told, expected, again] of rows) {
    test(`is read from ${JSON.stringify(told)}`, () => {
      const event = since(told)
      assert.deepEqual([event.since, event.again], [expected, again])
    })
  }
})

// The text of a comment: the form the contract gives it, and that nothing foreign in it can do anything.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { GitLabEvent, MergeRequest } from '#shared/event/event.ts'
import { parseEvent } from '#shared/event/event.ts'
import { commentOn } from '#sinks/phabricator/comment.ts'
import { literal, oneLine } from '#sinks/phabricator/one-line.ts'
import { effortOf } from '../support/effort.ts'
import { hook } from '../support/fixtures.ts'
import { activityOf } from './remarkup-activity.ts'

const gitlab = 'https://gitlab.configured.example'
const at = '2026-11-23T12:00:00.000Z'

type Foreign = {
  title?: unknown
  username?: unknown
  branch?: unknown
  path?: unknown
  url?: unknown
  level?: unknown
  action?: string
}

function comment({
  title = 'Title',
  username = 'alice',
  branch = 'main',
  path = 'group/tool',
  url,
  level = 20,
  action = 'open',
}: Foreign): string {
  const body = {
    object_kind: 'merge_request',
    user: { username },
    project: { id: 42, path_with_namespace: path, visibility_level: level },
    object_attributes: { iid: 7, title, target_branch: branch, url, action },
  }
  const event = parseEvent({ id: 'one', receivedAt: at, headers: {}, body: JSON.stringify(body) })
  return commentOf(event)
}

function commentOf(event: GitLabEvent): string {
  const { mergeRequest } = event
  assert.ok(mergeRequest)
  return commentOn(event, mergeRequest, gitlab)
}

const firstLine = (text: string) => text.split('\n')[0]
const block = (text: string) => text.split('\n').slice(1).join('\n')

describe('the form of a comment', () => {
  test('is who did what where, and the title in a literal block', () => {
    const event = parseEvent({ id: 'one', receivedAt: at, headers: {}, body: JSON.stringify(hook('merge-request-open')) })
    assert.equal(
      commentOf(event),
      'alice opened https://gitlab.example/repos/releng/gitlab-demo/-/merge_requests/1\n\n' +
        '%%%[repos/releng/gitlab-demo@main] Add a feed of merge requests%%%',
    )
  })

  for (const [action, verb] of Object.entries({
    open: 'opened',
    reopen: 'reopened',
    close: 'closed',
    merge: 'merged',
    update: 'updated',
  })) {
    test(`says "${verb}" of ${action}`, () => assert.equal(firstLine(comment({ action }))?.split(' ')[1], verb))
  }

  for (const [what, level] of Object.entries({ private: 0, internal: 10, unknown: 15, 'not stated': null })) {
    test(`has only the first line when the visibility is ${what}`, () => {
      assert.equal(comment({ level }), `alice opened ${gitlab}/group/tool/-/merge_requests/7`)
    })
  }

  test('has the title when the visibility is stated in words', () => {
    assert.match(comment({ level: 'public' }), /%%%/)
  })

  test('has an empty title where there is none', () => {
    assert.equal(block(comment({ title: null })), '\n%%%[group/tool@main] %%%')
  })
})

describe('a title', () => {
  const rows: Array<[what: string, title: string, shown: string]> = [
    ['keeps what is harmless', 'Füge “T1” hinzu & @alice <b> `x` {T2} 🎉', 'Füge “T1” hinzu & @alice <b> `x` {T2} 🎉'],
    ['cannot close the block', 'a%%%', 'a%% %'],
    ['cannot close it with more signs', 'a%%%%%%b', 'a%% %% %%b'],
    ['cannot close it at the end of a line', 'a%%%\n@alice T5', 'a%% % @alice T5'],
    ['is one line', 'a\nb\r\nc\rd\u0085e\u2028f\u2029g\vh\fi', 'a b c d e f g h i'],
    ['has its blanks folded', '  a \t\n  b\u00a0 c  ', 'a b c'],
    ['has no control characters', 'a\u0000b\u00011Zc\u001bd\u007fe\u009ff', 'a b 1Zc d e f'],
    ['has no marks that turn the direction', 'a\u202eb\u2066c\u200fd\u061ce', 'abcde'],
    ['has nothing of no width', 'a\u200bb\u200dc\ufeffd\u2060e\u00adf\u{e0041}g\u115fh', 'abcdefgh'],
    ['has no half characters', 'a\ud800b\udc00c', 'a\ufffdb\ufffdc'],
    ['cannot hide the signs behind what is taken out', 'a%\u200b%\u200b%', 'a%% %'],
  ]
  for (const [what, title, shown] of rows) {
    test(what, () => assert.equal(block(comment({ title })), `\n%%%[group/tool@main] ${shown}%%%`))
  }

  test('of 500 characters stays, a longer one ends in …', () => {
    assert.equal(oneLine('ä'.repeat(500)), 'ä'.repeat(500))
    assert.equal(oneLine('ä'.repeat(501)), `${'ä'.repeat(499)}…`)
    assert.equal(oneLine('🎉'.repeat(501)), `${'🎉'.repeat(499)}…`)
    assert.equal(oneLine(`${' '.repeat(2_000_000)}a`), '…')
  })

  test('of a megabyte is cut at once', () => {
    for (const unit of ['a', '%', '\n', ' \u0000', '\u200b', '\ud800', '🎉', 'a%%%\n']) {
      let text = ''
      const ms = effortOf(() => {
        text = comment({ title: unit.repeat(1_000_000 / unit.length) })
      })
      assert.ok(ms < 1000, `it took ${ms} ms`)
      assert.ok(text.length < 1700, `${text.length} characters`)
      assert.deepEqual(activityOf(text), [])
    }
  })
})

describe('a user name', () => {
  const plain = [
    'alice',
    'Alice-B',
    'a.b_c',
    'x1',
    'group_42_bot_3f2a',
    'user123',
    'rmw',
    'beefcafe1x',
    '_',
    'T',
    'a-1',
    't1',
    'x--y',
    'xdeadbeef',
  ]
  for (const name of plain) test(`${name} stays as it is`, () => assert.equal(firstLine(comment({ username: name }))?.split(' ')[0], name))

  const active = [
    'T123',
    'D5',
    'rMW',
    'rT123',
    'rMW12345',
    'R1',
    'a.T123',
    'a-T1',
    '1-T1',
    'a__b__',
    '__x__',
    'deadbeef',
    '1234567',
    'F1.x',
  ]
  for (const name of active) {
    test(`${name} is readable and no link`, () => {
      const text = comment({ username: name })
      assert.equal(firstLine(text)?.split(' ')[0]?.replaceAll('\u2060', ''), name)
      assert.deepEqual(activityOf(text), [])
    })
  }

  const nobody = [
    undefined,
    null,
    '',
    '@alice',
    'a b',
    'a\nb',
    '-a',
    '.a',
    '1.',
    'a/b',
    'a'.repeat(256),
    '{T1}',
    'ä',
    'a\u200b',
    'bob]]',
    12,
  ]
  for (const name of nobody) {
    test(`${JSON.stringify(name)} is Somebody`, () =>
      assert.equal(firstLine(comment({ username: name ?? null }))?.split(' ')[0], 'Somebody'))
  }
})

describe('the address of the merge request', () => {
  test('is the one that the event has', () => {
    const url = 'https://gitlab.example:8443/a/b.c/d_e-f/-/merge_requests/7'
    assert.equal(firstLine(comment({ url })), `alice opened ${url}`)
  })

  const hostile = [
    'javascript:alert(1)',
    'https://gitlab.example/a b/-/merge_requests/7',
    'https://gitlab.example/a/-/merge_requests/7\n@alice',
    'https://gitlab.example/a/-/merge_requests/7 T1',
    "https://gitlab.example/a'@alice/-/merge_requests/7",
    'https://gitlab.example/(a)/-/merge_requests/7',
    'https://gitlab.example/a/-/merge_requests/7#T1',
    'https://user:password@gitlab.example/a/-/merge_requests/7',
    'https://gitlab.example/{T1}',
    'https://gitlab.example/\u202e',
    'https://gitlab.exämple/a',
    'ftp://gitlab.example/a',
    `https://gitlab.example/${'a'.repeat(1000)}`,
    '/a/b',
    '',
    7,
  ]
  for (const url of hostile) {
    test(`is the configured GitLab's instead of ${JSON.stringify(url).slice(0, 60)}`, () => {
      assert.equal(firstLine(comment({ url })), `alice opened ${gitlab}/group/tool/-/merge_requests/7`)
    })
  }

  test('has whatever is in the path escaped', () => {
    const path = "a'@alice (T1)/{T2}\n%%%\ud800/ä"
    const text = comment({ path })
    assert.equal(firstLine(text), `alice opened ${gitlab}/a%27%40alice%20%28T1%29/%7bT2%7d%0a%25%25%25%ef%bf%bd/%c3%a4/-/merge_requests/7`)
    assert.deepEqual(activityOf(text), [])
  })
})

// biome-ignore format: a list
const nasty = fc.constantFrom(
  '%', '%%%', '\n', '\r\n', '\r', '\u2028', '\u0000', '\u00011Z', '\u0085', '@alice', ' @all', 'T1', ' T2 ', '{T3}', 'rMW',
  '#tag', '[[x]]', '`', '```', '**', '__', '~~', '//', '!!', '##', '\u202e', '\u200b', '\u2060', '\ud800', '\udc00', 'deadbeef',
  '-', '.', '_', '/', ' ', "'", 'x', 'é', '🎉', '\\', ']', '@',
)
const text = fc.oneof(
  fc.array(nasty, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/),
)

test('whatever the event says, its comment is one harmless line and at most one literal block', () => {
  const anything = fc.record({
    title: text,
    username: text,
    branch: text,
    path: text.map((path) => `x${path}`),
    url: fc.oneof(
      text,
      text.map((rest) => `https://gitlab.example/${rest}`),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
    ),
    level: fc.constantFrom(20, 10, 0, null),
    action: fc.constantFrom('open', 'close', 'update'),
  })
  fc.assert(
    fc.property(anything, (foreign) => {
      const made = comment(foreign)
      assert.deepEqual(activityOf(made), [], JSON.stringify(made))
      assert.equal(made.includes('%%%'), foreign.level === 20)
    }),
    { numRuns: 4000 },
  )
})

test('a literal text never has three signs in a row, nor more than its letters and blanks between them', () => {
  fc.assert(
    fc.property(text, (foreign) => {
      const made = literal(foreign)
      assert.ok(!made.includes('%%%'))
      assert.equal(made.replaceAll(' ', ''), oneLine(foreign).replaceAll(' ', ''))
    }),
  )
})

test('the checker of these tests sees what it is there to see', () => {
  const line = 'alice opened https://gitlab.example/a/-/merge_requests/7'
  assert.deepEqual(activityOf(`${line}\n\n%%%[a@b] @alice T1 __x__%%%`), [])
  for (const bad of ['T1', '@alice', '#tag', 'rMW', 'deadbeef', '__x__', '{x}', '1. x', '\u202e', '%%%']) {
    assert.notDeepEqual(activityOf(`${bad} ${line}`), [], bad)
  }
  for (const bad of ['\n\n%%%[a] x%%%\ny', '\n\n%%%[a] x%%%y%%%', '\n\n%%%[a] x', '\n\nx', '\nx', '\n\n%%%[a] \u0001%%%']) {
    assert.notDeepEqual(activityOf(line + bad), [], bad)
  }
})

test('the merge request that a comment is about needs no more than its number', () => {
  const bare: MergeRequest = {
    projectId: 42,
    projectPath: 'group/tool',
    iid: 7,
    url: undefined,
    title: '',
    description: '',
    state: undefined,
    action: 'open',
    system: false,
    draft: false,
    targetBranch: '',
    oldrev: undefined,
    changes: {},
  }
  const event = parseEvent({ id: 'one', receivedAt: at, headers: {}, body: '{}' })
  assert.equal(commentOn(event, bare, gitlab), `Somebody updated ${gitlab}/group/tool/-/merge_requests/7`)
})

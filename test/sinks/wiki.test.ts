// The reviewers page: asked for, kept for a while, and the last good copy served while the wiki is away.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pino } from 'pino'
import { Unavailable } from '#shared/process/errors.ts'
import { openMetrics } from '#shared/process/metrics.ts'
import { reporter } from '#sinks/gitlab-mentions/reviewers/report.ts'
import { openWiki, type Wiki } from '#sinks/gitlab-mentions/wiki.ts'
import { answers } from '../fixtures/wiki/answers.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { seed } from '../sandbox/seed.ts'
import { type Given, startAnswering } from '../support/answers.ts'

const { signal } = new AbortController()
const log = pino({ level: 'silent' })
const open = (apiUrl: string, maxAge = 0): Wiki =>
  openWiki({ apiUrl, page: 'Git/Reviewers', maxAge, report: reporter({ log, metrics: openMetrics() }), log })

async function peopleOf(wiki: Wiki, on = signal): Promise<string[]> {
  const { sections } = await wiki.reviewers(on)
  return sections.flatMap(({ entries }) => entries.map(({ username }) => username))
}

const tree = (...names: string[]) =>
  `<root><h level="2" i="1">== * ==</h>${names.map((name) => `<template><title>Gitlab-mention</title><part><name index="1"/><value>${name}</value></part></template>`).join('')}</root>`
const good = (...names: string[]): Given => ({ body: { parse: { title: 'Git/Reviewers', revid: 9, parsetree: tree(...names) } } })
const failure = (code: string): Given => ({ headers: { 'mediawiki-api-error': code }, body: { error: { code, info: 'words' } } })

test('the page is asked for as MediaWiki wants to be asked', async () => {
  await using remote = await startAnswering(good('alice'))
  await open(`${remote.url}/w/api.php`).reviewers(signal)
  const [asked] = remote.asked
  const query = new URL(asked?.path ?? '', remote.url)
  assert.equal(query.pathname, '/w/api.php')
  assert.deepEqual(Object.fromEntries(query.searchParams), {
    action: 'parse',
    page: 'Git/Reviewers',
    prop: 'parsetree|revid',
    redirects: '1',
    format: 'json',
    formatversion: '2',
  })
  assert.match(asked?.headers['user-agent'] ?? '', /gitlab-webhooks/)
})

test('a copy is used as long as it may be, and then asked for again', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  await using remote = await startAnswering(good('alice'))
  const wiki = open(remote.url, 120_000)
  assert.deepEqual(await peopleOf(wiki), ['alice'])
  remote.answer(good('bob'))
  t.mock.timers.tick(119_000)
  assert.deepEqual(await peopleOf(wiki), ['alice'])
  t.mock.timers.tick(2000)
  assert.deepEqual(await peopleOf(wiki), ['bob'])
  assert.equal(remote.asked.length, 2)
})

test('those who ask at once share one question', async () => {
  await using remote = await startAnswering(good('alice'))
  const wiki = open(remote.url)
  const answers = await Promise.all(Array.from({ length: 10 }, () => peopleOf(wiki)))
  assert.ok(answers.every(([name]) => name === 'alice'))
  assert.equal(remote.asked.length, 1)
})

test('when the one who asked gives up, the others still get their answer', async () => {
  const leaving = new AbortController()
  await using remote = await startAnswering(() => {
    leaving.abort(new Error('stopping'))
    remote.answer(good('alice'))
    return undefined
  })
  const wiki = open(remote.url)
  const first = peopleOf(wiki, leaving.signal)
  const second = peopleOf(wiki)
  await assert.rejects(first, /stopping/)
  assert.deepEqual(await second, ['alice'])
})

const down: Array<[what: string, answer: Given]> = [
  ['a page for people', { body: '<!DOCTYPE html><title>Wikimedia Error</title>' }],
  ['half an answer', { body: '{"parse": {"parsetree": "<root><h lev' }],
  ['half a tree', { body: { parse: { parsetree: tree('alice').slice(0, -20) } } }],
  ['a tree that is a page', { body: { parse: { parsetree: '<!DOCTYPE html><html><body>x</body></html>' } } }],
  ['an empty tree', { body: { parse: { parsetree: '' } } }],
  ['no tree', { body: { parse: { title: 'Git/Reviewers' } } }],
  ['nothing', {}],
  ['an empty object', { body: {} }],
  ['a list', { body: [] }],
  [
    'JSON with a page glued to it',
    { status: 500, body: `${JSON.stringify({ error: { code: 'internal_api_error_DBConnectionError' } })}<!DOCTYPE html>` },
  ],
  ['an error of its own', failure('internal_api_error_DBQueryError')],
  ['lag', { ...failure('maxlag'), headers: { 'retry-after': '5' } }],
  ['no permission to read', failure('readapidenied')],
  ['a title it does not like', failure('invalidtitle')],
  ['a rate limit', { status: 429 }],
  ['403, for want of a name', { status: 403, body: 'Please set a user-agent' }],
  ['404', { status: 404, body: 'Not Found' }],
  ['a redirect', { status: 301, headers: { location: '/wiki' } }],
  ['503', { status: 503 }],
  ['500 and something like a page', { ...good('mallory'), status: 500 }],
]

describe('the wiki is down when it answers with', () => {
  for (const [what, answer] of down) {
    test(`${what}: without a copy that is said, with one it serves`, async () => {
      await using remote = await startAnswering(answer)
      const wiki = open(remote.url)
      await assert.rejects(wiki.reviewers(signal), Unavailable)
      remote.answer(good('alice'))
      assert.deepEqual(await peopleOf(wiki), ['alice'])
      remote.answer(answer)
      assert.deepEqual(await peopleOf(wiki), ['alice'])
      remote.answer(good('bob'))
      assert.deepEqual(await peopleOf(wiki), ['bob'])
    })
  }
})

describe('the page lists nobody when', () => {
  const rows: Array<[what: string, answer: Given]> = [
    ['it is missing', failure('missingtitle')],
    ['it was deleted', failure('nosuchpageid')],
    ['it is blank', { body: { parse: { parsetree: '<root/>' } } }],
    ['it has no heading', { body: { parse: { parsetree: '<root>text</root>' } } }],
  ]
  for (const [what, answer] of rows) {
    test(`${what}, even if there is an older copy`, async () => {
      await using remote = await startAnswering(good('alice'))
      const wiki = open(remote.url)
      assert.deepEqual(await peopleOf(wiki), ['alice'])
      remote.answer(answer)
      assert.deepEqual(await peopleOf(wiki), [])
    })
  }
})

test('both forms of the answer are read', async () => {
  await using remote = await startAnswering({ body: { parse: { parsetree: { '*': tree('alice') } } } })
  assert.deepEqual(await peopleOf(open(remote.url)), ['alice'])
})

test('the sandbox’s wiki and its moods', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { wiki: remote } = sandbox
  const wiki = open(remote.apiUrl)
  assert.deepEqual(await peopleOf(wiki), ['alice', 'bob', 'carol', 'dave'])
  for (const mode of ['html', 'truncated', 'database-down'] as const) {
    remote.state.mode = mode
    assert.deepEqual(await peopleOf(wiki), ['alice', 'bob', 'carol', 'dave'])
    await assert.rejects(open(remote.apiUrl).reviewers(signal), Unavailable)
  }
  remote.state.mode = 'normal'
  remote.save('Git/Reviewers', '')
  assert.deepEqual(await peopleOf(wiki), [])
  remote.remove('Git/Reviewers')
  assert.deepEqual(await peopleOf(wiki), [])
  remote.save('Elsewhere', '== * ==\n{{Gitlab-mention|moved}}')
  remote.save('Git/Reviewers', '#REDIRECT [[Elsewhere]]')
  assert.deepEqual(await peopleOf(wiki), ['moved'])
})

test('the link for people opens the page', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const page = await fetch(open(sandbox.wiki.apiUrl).link, { headers: { 'user-agent': 'a browser' } })
  assert.match(await page.text(), /Gitlab-mention/)
})

describe('each answer that a MediaWiki is known to give is', () => {
  for (const { what, status, body, meaning } of answers) {
    test(`${meaning}: ${what}`, async () => {
      await using remote = await startAnswering({ ...(status !== undefined && { status }), body })
      const asking = open(remote.url).reviewers(signal)
      if (meaning === 'the wiki being down') await assert.rejects(asking, Unavailable)
      else assert.equal((await asking).sections.length === 0, meaning === 'nobody' || (await asking).suspicious)
    })
  }
})

test('a page that is too large for us means that the wiki is down, and the last good copy serves', async () => {
  await using remote = await startAnswering(good('alice'))
  const wiki = open(remote.url)
  assert.deepEqual(await peopleOf(wiki), ['alice'])
  const large: Given = { body: { parse: { title: 'Git/Reviewers', revid: 10, parsetree: 'x'.repeat(17_000_000) } } }
  remote.answer(large)
  assert.deepEqual(await peopleOf(wiki), ['alice'])
  await assert.rejects(peopleOf(open(remote.url)), Unavailable)
})

// The note: whom it mentions, and that nothing but our own words and names of people is in it.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { pino } from 'pino'
import { Permanent } from '#shared/process/errors.ts'
import { openMetrics } from '#shared/process/metrics.ts'
import type { Fence } from '#sinks/fence.ts'
import { openGitLab } from '#sinks/gitlab/gitlab.ts'
import { reporter } from '#sinks/gitlab-mentions/reviewers/report.ts'
import { gitlabMentions } from '#sinks/gitlab-mentions/sink.ts'
import { openWiki } from '#sinks/gitlab-mentions/wiki.ts'
import { newMergeRequest, newProject } from '../sandbox/forge.ts'
import { quickActions } from '../sandbox/note.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { seed } from '../sandbox/seed.ts'
import { fenceOf } from '../support/fence.ts'

let sandbox: Sandbox
const logged: string[] = []
const { signal } = new AbortController()

before(async () => {
  sandbox = await startSandbox()
  seed(sandbox)
  sandbox.gitlab.state.users.push(
    { id: 20, username: 'CamelCase', name: 'C', state: 'active' },
    { id: 21, username: 'dotted.name-x_y', name: 'D', state: 'active' },
  )
})
after(() => sandbox?.close())

let project = 1000
beforeEach(() => {
  logged.length = 0
  project += 1
  const mergeRequests = [newMergeRequest({ iid: 1, title: 'x', author: 'alice', reviewers: ['grace'] })]
  sandbox.gitlab.state.projects.push(newProject({ id: project, path: `repos/p${project}`, mergeRequests }))
})

type Options = { dryRun?: boolean; fence?: Fence }

async function perform({ dryRun = false, fence = fenceOf() }: Options = {}) {
  const { gitlab: remote, wiki: site } = sandbox
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })
  const gitlab = openGitLab({ url: remote.url, token: () => remote.token, redact: (text) => text })
  const report = reporter({ log, metrics: openMetrics() })
  const wiki = openWiki({ apiUrl: site.apiUrl, page: 'Git/Reviewers', maxAge: 0, report, log })
  const sink = gitlabMentions.over({ gitlab, wiki, mentionDrafts: true, report, log })
  const data = { projectId: project, projectPath: `repos/p${project}`, iid: 1, link: 'https://gitlab.example/x/-/merge_requests/1' }
  const context = {
    history: 'new' as const,
    made: undefined,
    since: new Date(),
    signal,
    madeForOthers: () => Promise.resolve(new Set<string>()),
    fence,
    dryRun,
  }
  return await sink.perform(data, context)
}

const list = (...entries: string[]) =>
  sandbox.wiki.save('Git/Reviewers', `== repos/* ==\n${entries.map((entry) => `{{Gitlab-mention|${entry}}}`).join('\n')}\n`)
const merge = () => sandbox.gitlab.mergeRequest(project, 1)
const notes = () => merge().notes.flatMap(({ author, body }) => (author === sandbox.gitlab.state.bot ? [body] : []))
const mentioned = () => notes().map((note) => [...note.matchAll(/@([\w.-]+)/g)].map(([, name]) => name))

test('the note is one line of our own words with a link to the page, and the names', async () => {
  list('bob', 'carol')
  const outcome = await perform()
  const page = `${sandbox.wiki.url}/w/index.php?title=Git/Reviewers`
  assert.deepEqual(notes(), [`People listed as [reviewers](${page}) of this project: @bob @carol`])
  const [note] = merge().notes
  assert.deepEqual(outcome, { state: 'done', made: String(note?.id), link: `https://gitlab.example/x/-/merge_requests/1#note_${note?.id}` })
  assert.deepEqual(quickActions(notes()[0] ?? '').commands, [])
  assert.ok(!/^\s*\//m.test(notes()[0] ?? ''))
})

describe('those are mentioned who are listed, except', () => {
  const rows: Array<[who: string, entries: string[], names: string[]]> = [
    ['the author', ['alice', 'bob'], ['bob']],
    ['the author in another case', ['ALICE', 'bob'], ['bob']],
    ['participants', ['grace', 'Grace', 'bob'], ['bob']],
    ['the bot', ['gitlab-mentions-bot', 'bob'], ['bob']],
    ['the blocked', ['erin', 'bob'], ['bob']],
    ['the unknown', ['nobody', 'repos', 'releng', 'bob'], ['bob']],
    ['everybody at once', ['all', 'All', '@all', 'bob'], ['bob']],
    ['what is no user name', ['bob carol', 'a/b', '-x', '/merge', '*', 'bob\n/merge', '[[dave]]', 'dave'], ['dave']],
    ['those named already', ['bob', 'BOB', '@bob'], ['bob']],
  ]
  for (const [who, entries, names] of rows) {
    test(who, async () => {
      list(...entries)
      await perform()
      assert.deepEqual(mentioned(), [names])
    })
  }
})

test('names are written as GitLab writes them', async () => {
  list('camelcase', 'DOTTED.NAME-X_Y')
  await perform()
  assert.deepEqual(mentioned(), [['CamelCase', 'dotted.name-x_y']])
})

test('whoever was mentioned is not mentioned again, and new people are', async () => {
  list('bob')
  await perform()
  assert.deepEqual(await perform(), {
    state: 'nothing',
    reason: 'nobody of the 1 listed reviewers is left to mention (take part already: bob)',
  })
  list('bob', 'nobody')
  const reason = 'nobody of the 2 listed reviewers is left to mention (take part already: bob; no users here: nobody)'
  assert.deepEqual(await perform(), { state: 'nothing', reason })
  list('BOB', 'dave')
  await perform()
  assert.deepEqual(mentioned(), [['bob'], ['dave']])
})

test('whoever was mentioned is not mentioned again although GitLab does not count them in yet', async () => {
  list('bob')
  const { gitlab } = sandbox
  const match = ({ path }: { path: string }) => path.includes('/participants')
  gitlab.fault({ kind: 'status', status: 200, headers: { 'Content-Type': 'application/json' }, body: '[]', match })
  await perform()
  await perform()
  gitlab.fault(undefined)
  assert.deepEqual(mentioned(), [['bob']])
})

test('a note that somebody else wrote in our words does not count', async () => {
  list('bob')
  const page = `${sandbox.wiki.url}/w/index.php?title=Git/Reviewers`
  sandbox.gitlab.addNote(project, 1, { author: 'dave', body: `\`People listed as [reviewers](${page}) of this project: @bob\`` })
  await perform()
  assert.deepEqual(mentioned(), [['bob']])
})

test('at most 20 people are mentioned, and the log tells who is left', async () => {
  const { users } = sandbox.gitlab.state
  const names = Array.from({ length: 130 }, (_, index) => `person${index}`)
  for (const [index, username] of names.entries()) users.push({ id: 3000 + index, username, name: username, state: 'active' })
  list(...names)
  await perform()
  assert.deepEqual(mentioned(), [names.slice(0, 20)])
  const line = logged.map((text) => JSON.parse(text)).find(({ msg }) => msg === 'too many reviewers to mention')
  assert.deepEqual(line.left, names.slice(20))
})

test('a page of names that nobody has costs a bounded number of questions', async () => {
  list(...Array.from({ length: 400 }, (_, index) => `nobody${index}`))
  const before_ = sandbox.gitlab.requests.length
  const outcome = await perform()
  assert.equal('state' in outcome && outcome.state, 'nothing')
  assert.ok(sandbox.gitlab.requests.length - before_ < 70)
  assert.deepEqual(notes(), [])
})

test('only those are mentioned whose files are changed', async () => {
  merge().files = [{ path: 'docs/new.md', oldPath: 'old/name.txt' }, { path: 'src/a.ts' }]
  list('bob|file_regexp=\\.ts$', 'carol|file_regexp=\\.py$', 'dave|file_regexp=^old/', 'CamelCase|only_match_new_files')
  await perform()
  assert.deepEqual(mentioned(), [['bob', 'dave']])
})

test('nobody is asked about files when no entry wants to know', async () => {
  list('bob')
  const before_ = sandbox.gitlab.requests.length
  await perform()
  assert.ok(!sandbox.gitlab.requests.slice(before_).some(({ path }) => path.includes('/diffs')))
})

for (const state of ['merged', 'closed'] as const)
  test(`nobody is mentioned on a merge request that is ${state} by the time the note would be written`, async () => {
    list('bob')
    merge().state = state
    assert.deepEqual(await perform(), { state: 'nothing', reason: `it is ${state} by now` })
    assert.deepEqual(notes(), [])
    merge().state = 'opened'
    await perform()
    assert.deepEqual(mentioned(), [['bob']])
  })

test('nobody listed is nothing done', async () => {
  for (const text of ['', '== repos/other ==\n{{Gitlab-mention|bob}}']) {
    sandbox.wiki.save('Git/Reviewers', text)
    assert.deepEqual(await perform(), { state: 'nothing', reason: 'the reviewers page lists nobody for it' })
  }
})

test('a dry run, or another worker that has taken over, posts nothing', async () => {
  list('bob')
  assert.deepEqual(await perform({ dryRun: true }), { state: 'nothing', reason: 'dry run: would mention bob', would: 'mention bob' })
  await assert.rejects(perform({ fence: fenceOf(() => Promise.reject(new Error('taken over'))) }), /taken over/)
  assert.deepEqual(notes(), [])
})

test('an answer of 202, which says that the note was taken for commands, is never tried again', async () => {
  list('bob')
  const { gitlab } = sandbox
  gitlab.fault({ kind: 'status', status: 202, body: '{"summary": []}', match: ({ method }) => method === 'POST' })
  await assert.rejects(perform(), Permanent)
  gitlab.fault(undefined)
})

test('a discussion that is locked can never be written to', async () => {
  list('bob')
  merge().discussionLocked = true
  await assert.rejects(perform(), Permanent)
})

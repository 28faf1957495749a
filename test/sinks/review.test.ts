// The review project: on a task while merge requests that name it are open, by what our own comments on the task say.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { pino } from 'pino'
import { Unavailable } from '#shared/process/errors.ts'
import { openConduit } from '#sinks/phabricator/conduit.ts'
import { openReview, type Review } from '#sinks/phabricator/review.ts'
import { phabricator } from '#sinks/phabricator/sink.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { seed } from '../sandbox/seed.ts'
import type { Project } from '../sandbox/tasks.ts'
import { fenceOf } from '../support/fence.ts'

let sandbox: Sandbox
let tag: Project
const { signal } = new AbortController()
const logged: string[] = []
const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })

before(async () => {
  sandbox = await startSandbox()
  seed(sandbox)
  tag = sandbox.phabricator.addProject({ name: 'Patch-For-Review' })
  sandbox.phabricator.addProject({ name: 'Patch-For-Review-Later' })
  sandbox.phabricator.addProject({ name: 'Security', hidden: true })
})
after(() => sandbox?.close())

let task = 100
let review: Review
beforeEach(() => {
  task += 1
  sandbox.phabricator.addTask({ id: task, title: 'A task' })
  sandbox.phabricator.fault(undefined)
  logged.length = 0
  use('Patch-For-Review')
})

function conduit() {
  const { url, token } = sandbox.phabricator
  return openConduit({ url, token: () => token, redact: (words) => words })
}

function use(named: string): void {
  review = openReview({ conduit: conduit(), named, log })
}

const address = (iid: number) => `https://gitlab.example/a/b/-/merge_requests/${iid}`
type More = { history?: 'new' | 'maybe-done'; dryRun?: boolean; ended?: boolean }

/** Performs the comment that tells that the merge request was `verb`; what is said of it. */
async function tell(verb: string, iid = 1, { history = 'new', dryRun = false, ended = false }: More = {}): Promise<string | undefined> {
  const { url } = sandbox.phabricator
  const sink = phabricator.over({ conduit: conduit(), url, gitlabUrl: 'https://gitlab.example', review })
  const text = `alice ${verb} ${address(iid)}\n\n%%%[a/b@main] Title%%%`
  const madeForOthers = () => Promise.resolve(new Set<string>())
  const context = { history, since: new Date(), signal, madeForOthers, made: undefined, fence: fenceOf(), dryRun }
  const data = { task, text, ...(verb === 'updated' && { unlessNamed: true }), ...(ended && { ended }) }
  const outcome = await sink.perform(data, context)
  return 'state' in outcome ? outcome.reason : undefined
}

const isOn = () => sandbox.phabricator.projects(task).includes('Patch-For-Review')
const edits = () =>
  sandbox.phabricator.requests.filter(({ path, body }) => path.endsWith('maniphest.edit') && body.includes(`"T${task}"`)).length
const changes = () => sandbox.phabricator.task(task).transactions.filter(({ type }) => type === 'projects').length
const verbs = () => sandbox.phabricator.comments(task).map((text) => text.split(' ')[1])

for (const verb of ['opened', 'reopened', 'updated'])
  test(`${verb}: it is added in the same edit as the comment`, async () => {
    assert.equal(await tell(verb), 'Patch-For-Review is on the task')
    assert.deepEqual([isOn(), edits(), verbs()], [true, 1, [verb]])
    const [first, second] = sandbox.phabricator.task(task).transactions
    assert.equal(first?.groupID, second?.groupID)
  })

for (const verb of ['merged', 'closed'])
  test(`${verb}: it is taken off in the same edit as the comment of the last one that was open`, async () => {
    await tell('opened')
    await tell('updated', 2)
    assert.equal(await tell(verb, 1), `Patch-For-Review stays: ${address(2)} is open`)
    assert.ok(isOn())
    assert.equal(await tell(verb, 2), 'Patch-For-Review is taken off: no other merge request is open')
    assert.deepEqual([isOn(), edits(), changes()], [false, 4, 2])
  })

test('it follows one that is closed, reopened and merged', async () => {
  const seen: boolean[] = []
  for (const verb of ['opened', 'closed', 'reopened', 'closed', 'reopened', 'merged']) {
    await tell(verb)
    seen.push(isOn())
  }
  assert.deepEqual(seen, [true, false, true, false, true, false])
})

test('it is not added a second time', async () => {
  await tell('opened', 1)
  await tell('opened', 2)
  assert.deepEqual([isOn(), changes()], [true, 1])
})

describe('what people do with it counts:', () => {
  test('where somebody had added it, it stays', async () => {
    sandbox.phabricator.changeProject(task, 'add', tag, 'alice')
    await tell('opened')
    assert.equal(await tell('merged'), 'Patch-For-Review is left as it is: it was not added by us')
    assert.ok(isOn())
  })

  test('where somebody has taken it off and added it since, it stays', async () => {
    await tell('opened')
    sandbox.phabricator.changeProject(task, 'remove', tag, 'alice')
    sandbox.phabricator.changeProject(task, 'add', tag, 'alice')
    await tell('merged')
    assert.ok(isOn())
  })

  test('where somebody has taken it off, it is off, and the next opening adds it again', async () => {
    await tell('opened')
    sandbox.phabricator.changeProject(task, 'remove', tag, 'alice')
    assert.equal(await tell('closed'), 'Patch-For-Review has been taken off before')
    assert.ok(!isOn())
    await tell('reopened')
    assert.ok(isOn())
    assert.equal(await tell('merged'), 'Patch-For-Review is taken off: no other merge request is open')
  })

  test('what they write does not', async () => {
    await tell('opened')
    sandbox.phabricator.addComment(task, `alice opened ${address(7)}`, 'alice')
    sandbox.phabricator.addComment(task, `see ${address(8)}`)
    await tell('merged')
    assert.ok(!isOn())
  })
})

describe('what comes late changes nothing:', () => {
  test('an opening after the merge, or after the close', async () => {
    await tell('merged', 1)
    assert.equal(await tell('opened', 1), 'Patch-For-Review is not added: the merge request is open no more')
    await tell('closed', 2)
    await tell('opened', 2)
    assert.deepEqual([isOn(), verbs()], [false, ['merged', 'opened', 'closed', 'opened']])
    await tell('opened', 3)
    assert.equal(await tell('merged', 3), 'Patch-For-Review is taken off: no other merge request is open')
  })

  test('a task that is named when the merge request is merged already', async () => {
    assert.equal(await tell('updated', 1, { ended: true }), 'Patch-For-Review is not added: the merge request is open no more')
    assert.ok(!isOn())
  })

  test('a comment that is found, with all that came with it', async () => {
    await tell('opened', 1)
    await tell('merged', 1)
    await tell('opened', 2)
    assert.equal(await tell('opened', 1, { history: 'maybe-done' }), 'Patch-For-Review was added')
    assert.equal(await tell('merged', 1, { history: 'maybe-done' }), 'Patch-For-Review was taken off')
    assert.deepEqual([isOn(), changes(), verbs()], [true, 3, ['opened', 'merged', 'opened']])
  })
})

test('it is looked up once, by name, slug or PHID, in any case', async () => {
  const lookUps = () => sandbox.phabricator.requests.filter(({ path }) => path.endsWith('project.search')).length
  for (const named of ['Patch-For-Review', 'patch-for-review', '#patch-for-review', '#Patch-For-Review', tag.phid]) {
    const earlier = lookUps()
    use(named)
    await tell('opened')
    await tell('merged')
    assert.deepEqual([lookUps() - earlier, changes()], [1, 2], named)
    task += 1
    sandbox.phabricator.addTask({ id: task, title: 'A task' })
  }
})

for (const named of ['Patch', '#nope', 'PHID-PROJ-aaaaaaaaaaaaaaaaaaaa', 'PHID-USER-aaaaaaaaaaaaaaaaaaaa', 'Security'])
  test(`${named} is no project here: comments are made without it, and the log says so once`, async () => {
    use(named)
    assert.equal(await tell('opened'), `the review project ${named} does not exist, or may not be seen`)
    await tell('merged')
    assert.deepEqual([verbs(), changes(), logged.length], [['opened', 'merged'], 0, 1])
  })

test('a bot that may comment and not edit comments, and says so once', async () => {
  sandbox.phabricator.task(task).access = 'uneditable'
  assert.equal(await tell('opened'), `the review project could not be set: the bot may not edit T${task}`)
  await tell('reopened')
  assert.deepEqual([verbs(), isOn(), logged.length], [['opened', 'reopened'], false, 1])
})

test('a project that cannot be looked up costs nobody a comment, unless Phabricator is away', async () => {
  const match = ({ path }: { path: string }) => path.endsWith('project.search')
  const body = JSON.stringify({
    result: null,
    error_code: 'ERR-CONDUIT-CALL',
    error_info: 'Conduit API method "project.search" does not exist.',
  })
  sandbox.phabricator.fault({ kind: 'status', status: 200, headers: { 'content-type': 'application/json' }, body, match })
  await tell('opened')
  assert.deepEqual([verbs(), isOn()], [['opened'], false])
  sandbox.phabricator.fault({ kind: 'status', status: 503, match })
  await assert.rejects(tell('closed'), Unavailable)
  assert.deepEqual(verbs(), ['opened'])
})

test('a history that is too large to read leaves it on the task', async () => {
  await tell('opened')
  sandbox.phabricator.addComment(task, 'x'.repeat(9_000_000), 'alice')
  assert.match((await tell('merged')) ?? '', /stays: the history of the task cannot be read/)
  assert.deepEqual([verbs().at(-1), isOn()], ['merged', true])
})

test('a dry run tells what would be done, and does nothing', async () => {
  assert.equal(await tell('opened', 1, { dryRun: true }), `dry run: would comment on T${task}; Patch-For-Review is on the task`)
  assert.deepEqual([verbs(), isOn()], [[], false])
})

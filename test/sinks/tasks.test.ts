// Making a comment once: when it is looked for first, and what then counts as already made.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Permanent, Unavailable } from '#shared/process/errors.ts'
import type { Context } from '#sinks/context.ts'
import { openGitLab } from '#sinks/gitlab/gitlab.ts'
import { commits } from '#sinks/phabricator/commits.ts'
import { openConduit } from '#sinks/phabricator/conduit.ts'
import { phabricator } from '#sinks/phabricator/sink.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { seed } from '../sandbox/seed.ts'
import { fenceOf } from '../support/fence.ts'

let sandbox: Sandbox
const { signal } = new AbortController()
const gitlabUrl = 'https://gitlab.example'
const address = `${gitlabUrl}/a/b/-/merge_requests/1`
const text = `alice closed ${address}\n\n%%%[a/b@main] Title%%%`

before(async () => {
  sandbox = await startSandbox()
  seed(sandbox)
})
after(() => sandbox?.close())

let task = 100
beforeEach(() => {
  task += 1
  sandbox.phabricator.addTask({ id: task, title: 'A task' })
  sandbox.phabricator.fault(undefined)
})

const soon: Context = {
  history: 'new',
  since: new Date(),
  signal,
  madeForOthers: () => Promise.resolve(new Set()),
  made: undefined,
  fence: fenceOf(),
  dryRun: false,
}

async function perform(data: object = {}, context: Partial<Context> = {}, dryRun = false) {
  const { url, token } = sandbox.phabricator
  const conduit = openConduit({ url, token: () => token, redact: (words) => words })
  const sink = phabricator.over({ conduit, url, gitlabUrl, review: undefined })
  return await sink.perform({ task, text, ...data }, { ...soon, since: new Date(), dryRun, ...context })
}

const comments = () => sandbox.phabricator.comments(task)
const searches = () => sandbox.phabricator.requests.filter(({ path }) => path === '/api/transaction.search').length
const link = () => `${sandbox.phabricator.url}/T${task}`

describe('the first time', () => {
  test('a comment is made without looking for it', async () => {
    const before_ = searches()
    const outcome = await perform()
    assert.deepEqual(comments(), [text])
    assert.equal(searches(), before_)
    assert.deepEqual(outcome, { state: 'done', link: link(), made: sandbox.phabricator.task(task).transactions[0]?.phid })
  })

  test('it is made although one with the same words is there, which belongs to an earlier event', async () => {
    await perform()
    await perform()
    assert.deepEqual(comments(), [text, text])
  })
})

describe('any other time', () => {
  test('it is found and not made again', async () => {
    const made = await perform()
    assert.deepEqual(await perform({}, { history: 'maybe-done', since: new Date(Date.now() - 5000) }), made)
    assert.deepEqual(comments(), [text])
  })

  test('it is found also when somebody has edited it since', async () => {
    await perform()
    const [transaction] = sandbox.phabricator.task(task).transactions
    assert.ok(transaction)
    sandbox.phabricator.editComment(transaction, 'edited')
    await perform({}, { history: 'maybe-done', since: new Date(Date.now() - 5000) })
    assert.deepEqual(comments(), ['edited'])
  })

  test('what was made for another event does not count', async () => {
    const made = await perform()
    assert.ok('made' in made)
    await perform(
      {},
      { history: 'maybe-done', since: new Date(Date.now() - 5000), madeForOthers: () => Promise.resolve(new Set([String(made.made)])) },
    )
    assert.deepEqual(comments(), [text, text])
  })

  test('what is older than the event does not count', async () => {
    sandbox.phabricator.addComment(task, text).dateCreated -= 120
    await perform({}, { history: 'maybe-done' })
    assert.deepEqual(comments(), [text, text])
  })

  test('what somebody else wrote does not count', async () => {
    sandbox.phabricator.addComment(task, text, 'alice')
    await perform({}, { history: 'maybe-done', since: new Date(Date.now() - 5000) })
    assert.deepEqual(comments(), [text, text])
  })

  test('it is not made while it cannot be looked for', async () => {
    sandbox.phabricator.fault({ kind: 'refuse', match: ({ path }) => path === '/api/transaction.search' })
    await assert.rejects(perform({}, { history: 'maybe-done' }), Unavailable)
    assert.deepEqual(comments(), [])
  })
})

describe('the comment of an update', () => {
  const update = { text: `alice updated ${address}\n\n%%%[a/b@main] Title%%%`, unlessNamed: true }

  test('is made where this merge request was never named', async () => {
    sandbox.phabricator.addComment(task, `alice opened ${address}1\n\n%%%[a/b@main] Title%%%`)
    sandbox.phabricator.addComment(task, `alice opened ${address}`, 'alice')
    sandbox.phabricator.addComment(task, `see ${address} for more`)
    await perform(update)
    assert.equal(comments().at(-1), update.text)
  })

  test('is not made where it was named before, however long ago, by whomever, under whatever title', async () => {
    sandbox.phabricator.addComment(task, `bob opened ${address}\n\n%%%[a/b@main] Old title%%%`).dateCreated -= 365 * 24 * 3600
    assert.deepEqual(await perform(update), { state: 'nothing', reason: `T${task} was named by this merge request before` })
    assert.equal(comments().length, 1)
  })

  test('is found when it was made a moment ago', async () => {
    const made = await perform(update)
    assert.deepEqual(await perform(update, { history: 'maybe-done', since: new Date(Date.now() - 5000) }), made)
    assert.equal(comments().length, 1)
  })
})

test('a dry run, or another worker that has taken over, comments nothing', async () => {
  assert.deepEqual(await perform({}, {}, true), {
    state: 'nothing',
    reason: `dry run: would comment on T${task}`,
    would: `comment on T${task}`,
  })
  await assert.rejects(perform({}, { fence: fenceOf(() => Promise.reject(new Error('taken over'))) }), /taken over/)
  assert.deepEqual(comments(), [])
})

test('an effect without a task makes no call at all', async () => {
  const before_ = sandbox.phabricator.requests.length
  await assert.rejects(perform({ task: 0 }), Permanent)
  for (const nonsense of [null, '', '1', undefined]) await assert.rejects(perform({ task: nonsense }))
  assert.equal(sandbox.phabricator.requests.length, before_)
})

describe('the commits of a merge request', () => {
  const messages = (...texts: string[]) => {
    const merge = sandbox.gitlab.mergeRequest(42, 1)
    merge.commits = texts.map((message, index) => ({ id: `${index}`, message, author: 'alice', createdAt: merge.createdAt }))
  }

  async function effects(elsewhere: number[], action = 'open') {
    const { url, token } = sandbox.gitlab
    const gitlab = openGitLab({ url, token: () => token, redact: (words) => words })
    const sink = commits.over({ gitlab, gitlabUrl, phabricatorUrl: 'https://phabricator.example' })
    return await sink.perform({ projectId: 42, iid: 1, action, text, elsewhere }, soon)
  }

  test('bring a comment on each task that they name and the description does not', async () => {
    messages('Fix\n\nBug: T1\nBug: T5', 'Add\n\nBug: T5, https://phabricator.example/T2\nChange-Id: I1', 'Test\n\n    Bug: T4\n\n`Bug: T3`')
    assert.deepEqual(await effects([1]), [
      { sink: 'phabricator', about: 'T5', order: '42!1 T5', after: { sink: 'commits', order: '42!1' }, data: { task: 5, text } },
      { sink: 'phabricator', about: 'T2', order: '42!1 T2', after: { sink: 'commits', order: '42!1' }, data: { task: 2, text } },
    ])
  })

  test('bring it only where the merge request was not named before when it is an update', async () => {
    messages('Fix\n\nBug: T5')
    assert.deepEqual(await effects([], 'update'), [
      {
        sink: 'phabricator',
        about: 'T5',
        order: '42!1 T5',
        after: { sink: 'commits', order: '42!1' },
        data: { task: 5, text, unlessNamed: true },
      },
    ])
  })

  test('bring nothing when they name no further task', async () => {
    const nothing = { state: 'nothing', reason: 'no `Bug:` line in the commits names a further task' }
    messages('Fix\n\nBug: T1')
    assert.deepEqual(await effects([1]), nothing)
    messages()
    assert.deepEqual(await effects([]), nothing)
    messages('Fix\n\nBug: T1', 'Fix\n\nBug: #T142')
    const miss = '“Bug: #T142” is none, it takes a line with nothing on it but `Bug: T123`'
    assert.deepEqual(await effects([1]), { ...nothing, reason: `${nothing.reason}: ${miss}` })
  })
})

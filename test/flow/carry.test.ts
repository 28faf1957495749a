// A hook's way through the whole service: to the tasks, the merge request, the feed and the journal, once and in order.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Reader, readFeed } from '../support/feed.ts'
import { hook } from '../support/fixtures.ts'
import { until } from '../support/until.ts'
import { botNotes, type Flow, mergeRequestHook, openFlow, verbs } from './flow.ts'

let flow: Flow
let feed: Reader

before(async () => {
  flow = await openFlow()
  feed = await readFeed(`http://127.0.0.1:${flow.ingest.port()}/sse/`)
})
after(async () => {
  feed?.close()
  await flow?.close()
})

describe('one merge request that is opened', () => {
  let id = ''

  before(async () => {
    id = await flow.send(mergeRequestHook(flow))
    await flow.settled()
  })

  test('brings a comment on the task of its description and on the one of its commits', () => {
    const { gitlab, phabricator } = flow.sandbox
    const text = `alice opened ${gitlab.url}/repos/releng/gitlab-demo/-/merge_requests/1\n\n%%%[repos/releng/gitlab-demo@main] Add a feed of merge requests%%%`
    assert.deepEqual([phabricator.comments(1), phabricator.comments(2)], [[text], [text]])
    assert.deepEqual(phabricator.state.madeByMistake, [])
  })

  test('brings a note that mentions those who are listed and do not take part', () => {
    const [note, ...others] = botNotes(flow)
    assert.match(note ?? '', /^People listed as \[reviewers\]\(\S+\) of this project: @bob @carol$/)
    assert.deepEqual(others, [])
    assert.deepEqual(flow.sandbox.gitlab.state.commands, [])
  })

  test('brings a message on the feed, without addresses', async () => {
    const message = await until(() => feed.messages[0], 'the message came')
    assert.equal(message.event, undefined)
    const data = JSON.parse(message.data)
    assert.equal(data.meta.id, id)
    assert.equal(data.object_attributes.iid, 1)
    assert.ok(!message.data.includes('@private.example'))
    assert.ok(message.data.includes('alice@commits.example'))
  })

  test('is in the journal with what each sink decided and what came of it', async () => {
    const { database } = flow
    const delivery = await database.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    assert.deepEqual(
      [delivery.kind, delivery.action, delivery.project, delivery.iid],
      ['merge_request', 'open', 'repos/releng/gitlab-demo', 1],
    )
    const decisions = await database.selectFrom('decisions').selectAll().where('delivery', '=', id).orderBy('sink').execute()
    assert.deepEqual(
      decisions.map(({ sink, reason }) => [sink, reason]),
      [
        ['commits', null],
        ['gitlab-mentions', null],
        ['phabricator', null],
        ['sse', null],
      ],
    )
    const effects = await database.selectFrom('effects').selectAll().where('delivery', '=', id).orderBy('id').execute()
    assert.deepEqual(
      effects.map(({ id: effect, state, attempts, made, ended_at }) => [effect, state, attempts, made !== null, ended_at !== null]),
      [
        [`${id}/commits/commits`, 'done', 1, false, true],
        [`${id}/gitlab-mentions/note`, 'done', 1, true, true],
        [`${id}/phabricator/T1`, 'done', 1, true, true],
        [`${id}/phabricator/T2`, 'done', 1, true, true],
        [`${id}/sse/message`, 'done', 1, true, true],
      ],
    )
    const links = Object.fromEntries(effects.map(({ id: effect, link }) => [effect, link]))
    assert.equal(links[`${id}/phabricator/T1`], `${flow.sandbox.phabricator.url}/T1`)
    assert.match(links[`${id}/gitlab-mentions/note`] ?? '', /\/merge_requests\/1#note_\d+$/)
  })

  test('changes nothing when it is delivered again', async () => {
    const state = () => JSON.stringify([flow.sandbox.phabricator.state.tasks, flow.sandbox.gitlab.state.projects])
    const before_ = state()
    for (let repeat = 0; repeat < 5; repeat++) await flow.send(mergeRequestHook(flow), id)
    const other = await flow.send(hook('push'))
    await flow.settled()
    const messages = (of: string) => feed.messages.filter(({ data }) => data.includes(`"${of}"`)).length
    await until(() => messages(other) > 0, 'a later message came')
    assert.deepEqual([messages(id), messages(other)], [1, 1])
    assert.equal(state(), before_)
    const rows = await flow.database.selectFrom('effects').selectAll().where('delivery', '=', id).execute()
    assert.ok(rows.every(({ attempts }) => attempts === 1))
  })
})

test('a delivery that has no consequences is in the journal with the reasons', async () => {
  const id = await flow.send(hook('test-merge-request'))
  await flow.settled()
  const decisions = await flow.database.selectFrom('decisions').selectAll().where('delivery', '=', id).orderBy('sink').execute()
  assert.deepEqual(
    decisions.map(({ sink, reason }) => [sink, reason]),
    [
      ['commits', 'no action: a test delivery'],
      ['gitlab-mentions', 'no action: a test delivery'],
      ['phabricator', 'no action: a test delivery'],
      ['sse', null],
    ],
  )
})

test('an update comments only on tasks that the merge request has not named before', async () => {
  const merge = flow.sandbox.gitlab.mergeRequest(42, 1)
  merge.commits.unshift({ id: 'c', message: 'More\n\nBug: T1\nBug: T2\nBug: T5', author: 'alice', createdAt: merge.createdAt })
  await flow.send(mergeRequestHook(flow, { action: 'update', oldrev: 'abc' }))
  await flow.settled()
  assert.deepEqual([verbs(flow, 1), verbs(flow, 2), verbs(flow, 5)], ['opened', 'opened', 'updated'])
  merge.commits.shift()
})

test('a new push mentions only people who were not mentioned before', async () => {
  const { wiki, gitlab } = flow.sandbox
  await flow.send(mergeRequestHook(flow, { action: 'update', oldrev: 'abd' }))
  await flow.settled()
  assert.equal(botNotes(flow).length, 1)
  wiki.save('Git/Reviewers', '== * ==\n{{Gitlab-mention|BOB}}\n{{Gitlab-mention|Dave}}\n{{Gitlab-mention|erin}}\n{{Gitlab-mention|nobody}}')
  await flow.send(mergeRequestHook(flow, { action: 'update', oldrev: 'abe' }))
  await flow.settled()
  assert.equal(botNotes(flow).length, 2)
  assert.match(botNotes(flow)[1] ?? '', /: @dave$/)
  assert.deepEqual(gitlab.state.commands, [])
})

test('the events of a merge request appear on its task in the order in which they came, on any number of workers', async () => {
  const { phabricator } = flow.sandbox
  const second = await flow.start('worker')
  phabricator.addTask({ id: 50, title: 'Busy' })
  phabricator.addTask({ id: 51, title: 'Also busy' })
  // The first comment is slow to be made; everything after it has to wait.
  phabricator.fault({ kind: 'slow', ms: 300, times: 2, match: ({ path }) => path === '/api/maniphest.edit' })
  const description = 'Bug: T50\nBug: T51'
  const actions = ['open', 'close', 'reopen', 'close', 'reopen', 'merge'] as const
  await flow.send(mergeRequestHook(flow, { action: 'update', description, iid: 1 }, 'merge-request-update-description'))
  for (const action of actions)
    await flow.send(mergeRequestHook(flow, { action, description, state: action === 'open' ? 'opened' : 'merged' }))
  await flow.settled()
  const expected = 'updated opened closed reopened closed reopened merged'
  assert.deepEqual([verbs(flow, 50), verbs(flow, 51)], [expected, expected])
  await second.kill()
})

test('a private merge request brings the first line only, a note, and nothing on the feed', async () => {
  const { gitlab } = flow.sandbox
  const body = hook('merge-request-private', gitlab.url)
  await flow.send(body)
  const other = await flow.send(hook('tag-push'))
  await flow.settled()
  await until(() => feed.messages.some(({ data }) => data.includes(`"${other}"`)), 'the message after it came')
  assert.equal(flow.sandbox.phabricator.comments(1).at(-1), `alice opened ${gitlab.url}/repos/releng/secret-demo/-/merge_requests/1`)
  assert.ok(!feed.messages.some(({ data }) => data.includes('secret-demo')))
})

test('nothing of all this has failed', async () => {
  for (const name of Object.keys(flow.queues) as Array<keyof Flow['queues']>) assert.deepEqual(await flow.dead(name), [], name)
})

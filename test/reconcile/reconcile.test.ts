// Hooks that never came: GitLab is asked what happened, and only what the journal does not know is handed in, once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { botNotes, effectRows, type Flow, mergeRequestHook, openFlow, verbs } from '../flow/flow.ts'
import { newMergeRequest } from '../sandbox/forge.ts'
import { readFeed } from '../support/feed.ts'
import { ops } from '../support/ops.ts'
import { until } from '../support/until.ts'

let flow: Flow
let feed: Awaited<ReturnType<typeof readFeed>>
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
const times = { opened: hoursAgo(5), closed: hoursAgo(4), reopened: hoursAgo(3), pushed: hoursAgo(2), merged: hoursAgo(1) }
const reconcile = (...args: string[]) => ops(flow.environment, 'reconcile', '--since', '6h', '--reason', 'to be sure', '--json', ...args)
const about = ({ out }: { out: string }) =>
  JSON.parse(out).missed.map(({ mr, action, user }: Record<string, unknown>) => `${String(mr)} ${String(action)} ${String(user)}`)
const told = () =>
  feed.messages.map(({ data }) => JSON.parse(data)).map(({ object_attributes: mr, meta }) => [mr.iid, mr.action, meta.origin].join(' '))

// The journal knows since its oldest delivery.
const journalBegins = (at: string) => {
  const row = {
    id: 'long-ago',
    received_at: new Date(at),
    kind: 'push',
    action: null,
    project: null,
    iid: null,
    username: null,
    title: null,
  }
  return flow.database
    .insertInto('deliveries')
    .values({ ...row, origin: 'hook' })
    .execute()
}

before(async () => {
  flow = await openFlow()
  const { gitlab, phabricator } = flow.sandbox
  feed = await readFeed(`http://127.0.0.1:${flow.ingest.port()}/sse/`)
  flow.defer(feed.close)
  const [demo, secret] = gitlab.state.projects
  const merge = gitlab.mergeRequest(42, 1)
  const commits = merge.commits.map((commit) => ({ ...commit, message: 'Nothing named here' }))
  const pushed = [
    { head: 'a'.repeat(40), at: times.opened },
    { head: 'b'.repeat(40), at: times.pushed },
  ]
  Object.assign(merge, { createdAt: times.opened, state: 'merged', notes: [], commits, versions: pushed })
  merge.stateEvents = [
    { state: 'closed', by: 'alice', at: times.closed },
    { state: 'reopened', by: 'bob', at: times.reopened },
    { state: 'merged', by: 'carol', at: times.merged },
  ]
  demo?.mergeRequests.push(
    newMergeRequest({ iid: 2, title: 'Missed as a whole', author: 'alice', description: 'Bug: T5', createdAt: hoursAgo(2.5) }),
  )
  Object.assign(secret?.mergeRequests[0] ?? {}, { createdAt: hoursAgo(1.5), description: 'Bug: T2' })
  phabricator.addTask({ id: 6, title: 'One more' })
  // What happened long ago, and what GitLab does not let us see.
  demo?.mergeRequests.push(
    newMergeRequest({ iid: 3, title: 'Old', author: 'alice', description: 'Bug: T6', createdAt: hoursAgo(9), updatedAt: hoursAgo(1) }),
  )
  await flow.send(mergeRequestHook(flow, { updated_at: times.opened }), 'opened-by-hook')
  await flow.send(mergeRequestHook(flow, { updated_at: times.closed, action: 'close', state: 'closed' }), 'closed-by-hook')
  await flow.settled()
})
after(() => flow?.close())

test('before the journal begins nobody can say what was missed: that is bad usage, which says from when on it can be asked', async () => {
  const young = await reconcile()
  assert.equal(young.code, 2)
  assert.match(young.err, /^--since: the journal begins at \d{4}-\d\d-\d\dT[\d:.]+Z, and before that it cannot tell what was missed$/m)
  const { id } = (await flow.database.selectFrom('deliveries').select('id').orderBy('received_at').executeTakeFirst()) ?? {}
  await journalBegins(hoursAgo(4 * 24))
  const old = await ops({ ...flow.environment, JOURNAL_KEEP_DAYS: '3' }, 'reconcile', '--since', '73h', '--reason', 'to be sure')
  assert.equal(old.code, 2)
  assert.match(old.err, /^--since: the journal begins at /)
  assert.notEqual(id, 'long-ago')
  assert.deepEqual(await flow.database.selectFrom('acts').select('id').execute(), [])
})

const missed = [
  'repos/releng/gitlab-demo!1 reopen bob',
  'repos/releng/gitlab-demo!2 open alice',
  'repos/releng/gitlab-demo!1 update null',
  'repos/releng/secret-demo!1 open alice',
  'repos/releng/gitlab-demo!1 merge carol',
]

test('a dry run tells what was missed, in the order in which it happened, and changes nothing', async () => {
  const said = await reconcile('--dry-run')
  assert.equal(said.code, 0, said.err)
  assert.deepEqual(about(said), missed)
  assert.deepEqual([verbs(flow, 1), JSON.parse(said.out).handedIn], ['opened closed', 0])
})

test('what was missed is handed in, and has its effects', async () => {
  const said = await reconcile('--reason', 'the hook had no secret')
  assert.deepEqual([about(said), JSON.parse(said.out).handedIn], [missed, 5])
  await flow.settled()
  assert.deepEqual([verbs(flow, 1), verbs(flow, 5), verbs(flow, 6)], ['opened closed reopened merged', 'opened', ''])
  assert.match(
    flow.sandbox.phabricator.comments(5)[0] ?? '',
    /^alice opened .*merge_requests\/2\n\n%%%\[repos\/releng\/gitlab-demo@main\] Missed as a whole%%%$/,
  )
  assert.equal(flow.sandbox.phabricator.comments(2)[0]?.includes('Rotate'), false, 'nothing is told of a private project')
  assert.deepEqual([botNotes(flow, 42, 1).length, botNotes(flow, 42, 2).length], [0, 1], 'what is merged by now needs no reviewers')
  await until(() => told().length >= 6, 'the feed has them')
  assert.deepEqual(told(), ['1 open ', '1 close ', '1 reopen reconciled', '2 open reconciled', '1 update reconciled', '1 merge reconciled'])
  const act = await flow.database.selectFrom('acts').select(['verb', 'reason', 'count']).executeTakeFirst()
  assert.deepEqual(act, { verb: 'reconcile', reason: 'the hook had no secret', count: 5 })
})

test('done once more, nothing was missed any more', async () => {
  const said = await reconcile()
  assert.deepEqual([said.code, about(said)], [0, []])
  assert.equal(told().length, 6)
})

test('it says what it looked at, and when to look at the rest', async () => {
  const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z'
  const said = await ops(flow.environment, 'reconcile', '--since', '6h', '--reason', 'to be sure')
  assert.match(said.out, new RegExp(`^Nothing was missed from ${time} until ${time}\\.\n`))
  const [, from, again] =
    new RegExp(`since (${time}) was not looked at: .* type: bin/ops reconcile --since (${time}) --reason …\n$`).exec(said.out) ?? []
  assert.ok(from !== undefined && from === again, said.out)
  const ago = Date.now() - Date.parse(from)
  assert.ok(ago > 600_000 && ago < 900_000, `${ago} ms`)
  const young = await ops(flow.environment, 'reconcile', '--since', '5m', '--reason', 'a restart')
  assert.deepEqual([young.code, young.out], [1, ''])
  assert.match(
    young.err,
    new RegExp(`^Nothing was looked at\\. What happened since ${time} .* After ${time} type: bin/ops reconcile --since ${time} `),
  )
})

test('a hook that comes after all makes nothing twice', async () => {
  const attributes = { iid: 2, title: 'Missed as a whole', description: 'Bug: T5', updated_at: hoursAgo(2.5) }
  const url = `${flow.sandbox.gitlab.url}/repos/releng/gitlab-demo/-/merge_requests/2`
  const id = await flow.send(mergeRequestHook(flow, { ...attributes, url }), 'resent-by-gitlab')
  await flow.settled()
  assert.equal((await effectRows(flow, id)).get('phabricator/T5')?.state, 'done')
  assert.equal(verbs(flow, 5), 'opened')
  assert.equal(botNotes(flow, 42, 2).length, 1)
})

test('what the journal has forgotten is handed in, and found at the remotes, however long ago it happened', async () => {
  const { gitlab, phabricator } = flow.sandbox
  phabricator.addTask({ id: 7, title: 'Of last week' })
  const older = { iid: 4, title: 'Of last week', description: 'Bug: T7' }
  const [demo] = gitlab.state.projects
  demo?.mergeRequests.push(newMergeRequest({ ...older, author: 'alice', createdAt: hoursAgo(120), updatedAt: hoursAgo(1) }))
  const url = `${gitlab.url}/${demo?.path}/-/merge_requests/4`
  await flow.send(mergeRequestHook(flow, { ...older, url, updated_at: hoursAgo(120) }))
  await flow.settled()
  await flow.database.deleteFrom('deliveries').execute()
  const empty = await reconcile()
  assert.equal(empty.code, 2)
  assert.match(empty.err, /^--since: the journal is empty/)
  await journalBegins(hoursAgo(7 * 24))
  const said = await reconcile('--since', '6d')
  assert.deepEqual(
    about(said).slice(0, 4),
    ['4 open', '3 open', '1 open', '1 close'].map((what) => `repos/releng/gitlab-demo!${what} alice`),
  )
  await flow.settled()
  assert.deepEqual(
    [verbs(flow, 1), verbs(flow, 5), verbs(flow, 6), verbs(flow, 7)],
    ['opened closed reopened merged', 'opened', 'opened', 'opened'],
  )
  assert.deepEqual([botNotes(flow, 42, 1).length, botNotes(flow, 42, 4).length], [0, 1])
})

test('as long as deliveries wait to be routed or written down, nobody can say what was missed', async () => {
  await flow.queues.deliveries.pause()
  await flow.send(mergeRequestHook(flow, { updated_at: times.opened }), 'waits')
  const said = await reconcile()
  assert.equal(said.code, 1)
  assert.match(said.err, /not up to date: 0 deliveries are in the spool, 1 wait to be routed, 0 entries/)
  await flow.queues.deliveries.resume()
  await flow.settled()
})

test('bad usage is told, and nothing is asked', async () => {
  const before_ = flow.sandbox.gitlab.requests.length
  for (const args of [[], ['--since', '2h', '--until', '3h']])
    assert.equal((await ops(flow.environment, 'reconcile', '--reason', 'to be sure', ...args)).code, 2, args.join(' '))
  const without = await ops({ ...flow.environment, GITLAB_TOKEN: '' }, 'reconcile', '--since', '2h', '--reason', 'to be sure')
  assert.match(without.err, /GITLAB_TOKEN, or GITLAB_TOKEN_FILE, is needed/)
  assert.equal(flow.sandbox.gitlab.requests.length, before_)
})

// What cannot be done: dead letters at once, attempts that are spent, and calls whose answer was lost.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Fault } from '../sandbox/server.ts'
import { until } from '../support/until.ts'
import { botNotes, effectRows, type Flow, holding, mergeRequestHook, openFlow, verbs } from './flow.ts'

let flow: Flow

before(async () => {
  flow = await openFlow(() => ({ CALL_SECONDS: '2', SETTLE_SECONDS: '1' }))
})
after(() => flow?.close())
beforeEach(() => {
  flow.sandbox.phabricator.fault(undefined)
  flow.sandbox.gitlab.fault(undefined)
})

const open = (description: string, attributes: object = {}) => mergeRequestHook(flow, { description, ...attributes })

test('tasks that are missing, hidden or locked are dead letters at once, with their reason, and cost nobody else anything', async () => {
  const id = await flow.send(open('Bug: T9999\nBug: T3\nBug: T4\nBug: T1'))
  await flow.settled()
  assert.deepEqual([verbs(flow, 1), verbs(flow, 2), botNotes(flow).length], ['opened', 'opened', 1])

  const letters = new Map((await flow.dead('phabricator')).map((letter) => [letter.id, letter.reason]))
  assert.deepEqual([...letters.keys()].sort(), [`${id}/phabricator/T3`, `${id}/phabricator/T4`, `${id}/phabricator/T9999`])
  // Whether by the call, or by a look for what a call made that was given up, as on a busy machine.
  for (const task of ['T9999', 'T3'])
    assert.match(
      letters.get(`${id}/phabricator/${task}`) ?? '',
      /"T\d+" does not identify a valid object|"objectIdentifier" does not exist/,
    )
  assert.match(letters.get(`${id}/phabricator/T4`) ?? '', /You Shall Not Pass.*Can Interact/)

  const rows = await effectRows(flow, id)
  for (const task of ['T9999', 'T3', 'T4']) {
    const row = rows.get(`phabricator/${task}`)
    assert.deepEqual([row?.state, row?.attempts, row?.reason], ['dead', 1, letters.get(`${id}/phabricator/${task}`)])
  }
  assert.equal(rows.get('phabricator/T1')?.state, 'done')
  const isTold = () => flow.worker.lines.some(({ msg, job }) => msg === 'died' && job === `${id}/phabricator/T9999`)
  await until(isTold, 'the log says so')
  assert.deepEqual(flow.sandbox.phabricator.state.madeByMistake, [])
})

test('what GitLab does not show the bot is nothing to do, with the reason, counted, and the rest goes on', async () => {
  const { gitlab } = flow.sandbox
  const merge = await flow.send(open('Bug: T5', { iid: 77 }))
  await flow.settled()
  const demo = gitlab.state.projects.find(({ id }) => id === 42)
  assert.ok(demo)
  demo.hidden = true
  const project = await flow.send(open('Bug: T5', { action: 'reopen' }))
  await flow.settled()
  demo.hidden = false
  assert.deepEqual([await flow.dead('commits'), await flow.dead('gitlab-mentions'), verbs(flow, 5)], [[], [], 'opened reopened'])
  for (const [id, what] of [
    [merge, 'merge request'],
    [project, 'project'],
  ]) {
    const rows = await effectRows(flow, id ?? '')
    for (const about of ['commits/commits', 'gitlab-mentions/note'])
      assert.deepEqual([rows.get(about)?.state, rows.get(about)?.reason], ['nothing', `GitLab shows the bot no such ${what}`])
  }
  const metrics = await (await fetch(`http://127.0.0.1:${flow.worker.port()}/metrics`)).text()
  for (const sink of ['commits', 'gitlab-mentions'])
    assert.match(metrics, new RegExp(`^gitlab_webhooks_shortfalls_total\\{sink="${sink}",shortfall="not_shown"\\} 2$`, 'm'))
})

test('an opening that comes after the merge is commented in the order of the hooks, and mentions nobody', async () => {
  const merge = flow.sandbox.gitlab.mergeRequest(42, 1)
  merge.state = 'merged'
  flow.sandbox.phabricator.addTask({ id: 80, title: 'Late' })
  await flow.send(open('Bug: T80', { action: 'merge', state: 'merged' }))
  const id = await flow.send(open('Bug: T80', { updated_at: new Date(Date.now() - 60_000).toISOString() }))
  await flow.settled()
  merge.state = 'opened'
  assert.equal(verbs(flow, 80), 'merged opened')
  assert.equal((await effectRows(flow, id)).get('gitlab-mentions/note')?.reason, 'it is merged by now')
})

test('a bot that is not even shown itself is refused, and its queues wait', async () => {
  const { gitlab } = flow.sandbox
  const status = { kind: 'status' as const, headers: { 'Content-Type': 'application/json' } }
  gitlab.fault([
    {
      ...status,
      status: 403,
      body: '{"message":"403 Forbidden - Your account has been blocked"}',
      match: ({ path }) => path.endsWith('/user'),
    },
    { ...status, status: 404, body: '{"message":"404 Project Not Found"}' },
  ])
  const id = await flow.send(open('Bug: T5'))
  const isHeld = (queue: 'commits' | 'gitlab-mentions') =>
    holding(flow.worker, queue).some(({ reason }) => /GitLab answers 403|not show the bot itself/.test(String(reason)))
  await until(() => isHeld('commits') && isHeld('gitlab-mentions'), 'both queues are on hold')
  gitlab.fault(undefined)
  await flow.settled()
  assert.equal((await effectRows(flow, id)).get('commits/commits')?.state, 'done')
})

const isEdit =
  (task: string): NonNullable<Fault['match']> =>
  ({ path, body }) =>
    path === '/api/maniphest.edit' && body.includes(`"${task}"`)
const strange = {
  kind: 'status',
  status: 200,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ result: null, error_code: 'ERR-CONDUIT-CORE', error_info: '#1205: Lock wait timeout exceeded' }),
} as const

// Brings forward what waits for its next attempt.
async function hurry(id: string, isOver: () => boolean | Promise<boolean>): Promise<void> {
  await until(async () => {
    const job = await flow.queues.phabricator.getJob(id)
    if (await job?.isDelayed()) await job?.promote().catch(() => undefined)
    return await isOver()
  }, `${id} is over`)
}

test('five errors nobody understands and then a success is one comment, after six attempts', async () => {
  const { phabricator } = flow.sandbox
  phabricator.addTask({ id: 60, title: 'Flaky' })
  phabricator.fault({ ...strange, times: 5, match: isEdit('T60') })
  const id = await flow.send(open('Bug: T60\nBug: T1', { action: 'close' }))
  await hurry(`${id}/phabricator/T60`, () => phabricator.comments(60).length > 0)
  await flow.settled()
  assert.equal(verbs(flow, 60), 'closed')
  const rows = await effectRows(flow, id)
  assert.deepEqual([rows.get('phabricator/T60')?.state, rows.get('phabricator/T60')?.attempts], ['done', 6])
  assert.deepEqual([rows.get('phabricator/T1')?.state, rows.get('phabricator/T1')?.attempts], ['done', 1])
})

test('a new event of the merge request hurries what waits for its next attempt, once in ten seconds', async () => {
  const { phabricator } = flow.sandbox
  phabricator.addTask({ id: 81, title: 'Impatient' })
  phabricator.fault({ ...strange, match: isEdit('T81') })
  const job = `${await flow.send(open('Bug: T81', { action: 'close', state: 'closed', iid: 81 }))}/phabricator/T81`
  const attempts = async () => (await flow.queues.phabricator.getJob(job))?.attemptsMade ?? 0
  const waits = async () => (await (await flow.queues.phabricator.getJob(job))?.isDelayed()) === true
  await hurry(job, async () => (await attempts()) >= 4)
  await until(waits, 'the next attempt is half a minute away')
  const before_ = await attempts()
  await flow.send(open('', { action: 'update', iid: 81 }))
  await until(async () => (await attempts()) > before_ && (await waits()), 'it is tried, and waits again')
  // However slow this machine is, the ten seconds are not over.
  const hurried = await flow.redis.keys('*:retrying:*:hurried')
  for (const key of hurried) await flow.redis.persist(key)
  await flow.send(open('', { action: 'approved', iid: 81 }))
  await flow.settled(['deliveries'])
  assert.deepEqual([await attempts(), await waits()], [before_ + 1, true])
  phabricator.fault(undefined)
  await flow.redis.del(...hurried)
  await flow.send(open('', { action: 'approved', iid: 81 }))
  await until(() => phabricator.comments(81).length === 1, 'it is done')
  await flow.settled()
})

test('when all attempts are spent it is a dead letter, and what waited behind it goes on', async () => {
  const { phabricator } = flow.sandbox
  phabricator.addTask({ id: 61, title: 'Broken' })
  phabricator.fault({ ...strange, times: 8, match: isEdit('T61') })
  const id = await flow.send(open('Bug: T61'))
  const later = await flow.send(open('Bug: T61', { action: 'close' }))
  await hurry(`${id}/phabricator/T61`, async () => (await flow.dead('phabricator')).some((letter) => letter.id.startsWith(id)))
  await flow.settled()
  const row = (await effectRows(flow, id)).get('phabricator/T61')
  assert.deepEqual([row?.state, row?.attempts], ['dead', 8])
  assert.match(row?.reason ?? '', /Lock wait timeout exceeded/)
  assert.equal(verbs(flow, 61), 'closed')
  assert.equal((await effectRows(flow, later)).get('phabricator/T61')?.attempts, 1)
})

test('a comment that was made, but whose answer was lost, is made once', async () => {
  const { phabricator } = flow.sandbox
  phabricator.addTask({ id: 62, title: 'Lossy' })
  phabricator.fault({ kind: 'commit-then-drop', times: 1, match: isEdit('T62') })
  const id = await flow.send(open('Bug: T62'))
  await flow.settled()
  assert.equal(verbs(flow, 62), 'opened')
  const row = (await effectRows(flow, id)).get('phabricator/T62')
  const [comment] = phabricator.task(62).transactions
  assert.deepEqual([row?.state, row?.attempts, row?.made], ['done', 1, comment?.phid])
})

test('of events whose comments read alike each has its own, also when answers are lost', async () => {
  const { phabricator } = flow.sandbox
  phabricator.addTask({ id: 63, title: 'Lossy again' })
  const actions = ['open', 'close', 'reopen', 'close']
  for (const action of actions) {
    phabricator.fault({ kind: 'commit-then-drop', times: 1, match: isEdit('T63') })
    await flow.send(open('Bug: T63', { action }))
    await flow.settled()
  }
  assert.equal(verbs(flow, 63), 'opened closed reopened closed')
})

test('a note that was made, but whose answer was lost, is made once', async () => {
  const { gitlab } = flow.sandbox
  const merge = gitlab.mergeRequest(42, 1)
  merge.notes = merge.notes.filter(({ author }) => author !== gitlab.state.bot)
  gitlab.fault({ kind: 'commit-then-drop', times: 1, match: ({ method }) => method === 'POST' })
  await flow.send(open(''))
  await flow.settled()
  assert.equal(botNotes(flow).length, 1)
})

// What cannot be done: dead letters at once, attempts that are spent, and calls whose answer was lost.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Fault } from '../sandbox/server.ts'
import { until } from '../support/until.ts'
import { botNotes, effectRows, type Flow, mergeRequestHook, openFlow, verbs } from './flow.ts'

let flow: Flow

before(async () => {
  flow = await openFlow(() => ({ CALL_SECONDS: '1', SETTLE_SECONDS: '1' }))
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
  assert.match(letters.get(`${id}/phabricator/T9999`) ?? '', /"T9999" does not identify a valid object/)
  assert.match(letters.get(`${id}/phabricator/T3`) ?? '', /"T3" does not identify a valid object/)
  assert.match(letters.get(`${id}/phabricator/T4`) ?? '', /You Shall Not Pass.*Can Interact/)

  const rows = await effectRows(flow, id)
  for (const task of ['T9999', 'T3', 'T4']) {
    const row = rows.get(`phabricator/${task}`)
    assert.deepEqual([row?.state, row?.attempts, row?.reason], ['dead', 1, letters.get(`${id}/phabricator/${task}`)])
  }
  assert.equal(rows.get('phabricator/T1')?.state, 'done')
  assert.ok(flow.worker.lines.some(({ msg, job }) => msg === 'died' && job === `${id}/phabricator/T9999`))
  assert.deepEqual(flow.sandbox.phabricator.state.madeByMistake, [])
})

test('a merge request that GitLab does not know is a dead letter of what needs it, and the rest goes on', async () => {
  const id = await flow.send(open('Bug: T5', { iid: 77 }))
  await flow.settled()
  const dead = [...(await flow.dead('commits')), ...(await flow.dead('gitlab-mentions'))]
  assert.deepEqual(dead.map((letter) => letter.id).sort(), [`${id}/commits/commits`, `${id}/gitlab-mentions/note`])
  for (const { reason } of dead) assert.match(reason, /GitLab answers 404/)
  assert.equal(verbs(flow, 5), 'opened')
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

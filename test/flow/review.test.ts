// The review project with the whole service: events at the same moment, answers that are lost, a Redis that comes back empty.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { ops } from '../support/ops.ts'
import { until } from '../support/until.ts'
import { effectRows, type Flow, mergeRequestHook, openFlow, verbs } from './flow.ts'

let flow: Flow
before(async () => {
  const limits = { CALL_SECONDS: '2', SETTLE_SECONDS: '1' }
  flow = await openFlow(({ sandbox }) => {
    sandbox.phabricator.addProject({ name: 'Patch-For-Review' })
    return { ...limits, SINKS_ENABLED: 'phabricator', GITLAB_TOKEN: '', PHABRICATOR_REVIEW_PROJECT: '#patch-for-review' }
  })
})
after(() => flow?.close())

let task = 100
beforeEach(() => {
  task += 1
  flow.sandbox.phabricator.addTask({ id: task, title: 'A task' })
  flow.sandbox.phabricator.fault(undefined)
})

let acts = 0
/** Sends that a merge request which names the task was opened, merged …; the delivery's id. */
async function send(action: string, iid: number): Promise<string> {
  acts += 1
  const url = `${flow.sandbox.gitlab.url}/repos/releng/gitlab-demo/-/merge_requests/${iid}`
  const updated_at = new Date(Date.now() + acts).toISOString()
  return await flow.send(mergeRequestHook(flow, { action, iid, url, updated_at, description: `Bug: T${task}` }), `act-${acts}`)
}

const isOn = (id = task) => flow.sandbox.phabricator.projects(id).length > 0
const changes = () =>
  flow.sandbox.phabricator.task(task).transactions.flatMap(({ type, fields }) => (type === 'projects' ? [JSON.stringify(fields)] : []))
const isEdit = ({ path }: { path: string }) => path.endsWith('maniphest.edit')
const isSearch = ({ path }: { path: string }) => path.endsWith('transaction.search')
const reason = async (delivery: string) => (await effectRows(flow, delivery)).get(`phabricator/T${task}`)?.reason

test('it is taken off once when the last ones end at the same moment', async () => {
  const iids = [1, 2, 3]
  for (const iid of iids) await send('open', iid)
  await flow.settled()
  flow.sandbox.phabricator.fault({ kind: 'slow', ms: 150, match: isSearch })
  const ends = await Promise.all(iids.map((iid) => send('merge', iid)))
  await flow.settled()
  assert.equal(verbs(flow, task), 'opened opened opened merged merged merged')
  assert.deepEqual([isOn(), changes().length], [false, 2])
  const reasons = await Promise.all(ends.map(reason))
  assert.equal(reasons.filter((text) => text === 'Patch-For-Review is taken off: no other merge request is open').length, 1)
  assert.equal(reasons.filter((text) => /^Patch-For-Review stays: http\S+ is open$/.test(text ?? '')).length, 2)
})

test('it stays when one ends at the moment in which another is opened', async () => {
  await send('open', 1)
  await flow.settled()
  flow.sandbox.phabricator.fault([
    { kind: 'slow', ms: 300, match: isSearch },
    { kind: 'slow', ms: 200, match: isEdit },
  ])
  await Promise.all([send('merge', 1), send('open', 2)])
  await flow.settled()
  assert.ok(isOn())
})

test('an opening whose answer was lost is not repeated when somebody has taken it off since', async () => {
  flow.sandbox.phabricator.fault({ kind: 'commit-then-drop', times: 1, match: isEdit })
  const id = await send('open', 1)
  await until(isOn, 'the comment is made')
  const [project] = flow.sandbox.phabricator.state.projects
  assert.ok(project)
  flow.sandbox.phabricator.changeProject(task, 'remove', project, 'alice')
  await flow.settled()
  assert.deepEqual([verbs(flow, task), isOn()], ['opened', false])
  assert.equal(await reason(id), 'Patch-For-Review was added')
})

test('a merge whose answer was lost is not repeated when somebody has added it since', async () => {
  await send('open', 1)
  await flow.settled()
  flow.sandbox.phabricator.fault({ kind: 'commit-then-drop', times: 1, match: isEdit })
  const id = await send('merge', 1)
  await until(() => !isOn(), 'the comment is made')
  const [project] = flow.sandbox.phabricator.state.projects
  assert.ok(project)
  flow.sandbox.phabricator.changeProject(task, 'add', project, 'alice')
  await flow.settled()
  assert.deepEqual([verbs(flow, task), isOn()], ['opened merged', true])
  assert.equal(await reason(id), 'Patch-For-Review was taken off')
})

test('an opening waits for a merge on the same task that may still be carried out', async () => {
  await send('open', 1)
  await flow.settled()
  flow.sandbox.phabricator.fault({ kind: 'late', soonMs: 100, ms: 1000, times: 1, match: isEdit })
  await send('merge', 1)
  const { requests } = flow.sandbox.phabricator
  const calls = () => requests.filter((request) => isEdit(request) && request.body.includes(`"T${task}"`)).length
  await until(() => calls() >= 2, 'the merge is on its way')
  await send('open', 2)
  await flow.settled()
  assert.deepEqual([verbs(flow, task), isOn()], ['opened merged opened', true])
})

test('what is replayed adds it once, and takes it off only when no other merge request is open', async () => {
  task += 1
  const [opened, merged] = [await send('open', 1), await send('merge', 1)]
  await until(async () => (await flow.dead('phabricator')).length === 2, 'both are dead letters, since there is no such task')
  flow.sandbox.phabricator.addTask({ id: task, title: 'A task' })
  await send('open', 2)
  await flow.settled()
  const letters = [opened, merged].map((delivery) => `${delivery}/phabricator/T${task}`)
  const replay = async () => await ops(flow.environment, 'replay', ...letters, '--reason', 'the task is there')
  assert.equal((await replay()).code, 0)
  await flow.settled()
  assert.deepEqual([verbs(flow, task), isOn(), changes().length], ['opened opened merged', true, 1])
  await send('merge', 2)
  await flow.settled()
  await replay()
  await flow.settled()
  assert.deepEqual([verbs(flow, task), isOn(), changes().length], ['opened opened merged merged', false, 2])
})

test('what is redelivered after Redis was emptied changes nothing', async () => {
  for (const [action, iid] of [
    ['open', 1],
    ['open', 2],
    ['merge', 1],
  ] as const) {
    await send(action, iid)
    await flow.settled()
  }
  const other = task
  task += 1
  flow.sandbox.phabricator.addTask({ id: task, title: 'A task' })
  await send('open', 3)
  await send('close', 3)
  await flow.settled()
  const earlier = flow.sandbox.phabricator.state.lastTransaction
  await flow.redis.flushall()
  const { code } = await ops(flow.environment, 'redeliver', '--since', '1h', '--reason', 'Redis was emptied')
  assert.equal(code, 0)
  await flow.settled()
  assert.equal(flow.sandbox.phabricator.state.lastTransaction, earlier)
  assert.deepEqual([isOn(other), isOn()], [true, false])
})

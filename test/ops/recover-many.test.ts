// Redis is lost under two workers in the middle of many events: they are handed in again, and each has its comment once, in
// the order of the events.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Flow, mergeRequestHook, openFlow, verbs } from '../flow/flow.ts'
import { ops } from '../support/ops.ts'
import { until } from '../support/until.ts'

const actions = ['open', 'close', 'reopen', 'close', 'reopen', 'merge'] as const
const tasks = Array.from({ length: 30 }, (_, index) => 300 + index)
const wanted = 'opened closed reopened closed reopened merged'

let flow: Flow
let directory: string
let log: string
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-recover-'))
  log = join(directory, 'events.log')
  flow = await openFlow(() => ({ LOG_EVENTS_TO: log, SINKS_ENABLED: 'phabricator', GITLAB_TOKEN: '' }))
  await flow.start('worker')
  for (const id of tasks) flow.sandbox.phabricator.addTask({ id, title: `Task ${id}` })
})
after(async () => {
  await flow?.close()
  await rm(directory, { recursive: true })
})

const made = () => tasks.map((task) => verbs(flow, task))
const allMade = tasks.map(() => wanted)
const count = () => made().join(' ').split(' ').filter(Boolean).length
const nothingIsAsked = () =>
  until(() => flow.sandbox.phabricator.requests.every(({ status }) => status !== undefined), 'all calls have ended at Phabricator')

test('what was lost in the middle comes from the event log', async () => {
  flow.sandbox.phabricator.fault({ kind: 'slow', ms: 40 })
  for (const task of tasks)
    for (const [turn, action] of actions.entries()) {
      const state = action === 'open' || action === 'reopen' ? 'opened' : 'closed'
      // Every other one takes so long to read that the next could overtake it.
      const description = `Bug: T${task}\n${turn % 2 === 0 ? 'x'.repeat(150_000) : ''}`
      await flow.send(mergeRequestHook(flow, { iid: task, description, action, state, title: `Turn ${turn}` }))
    }
  const all = actions.length * tasks.length
  await until(() => count() > all / 4, 'some comments are there')
  await flow.redis.flushall()
  assert.ok(count() < all, 'not all comments were there')
  await nothingIsAsked()
  flow.sandbox.phabricator.fault(undefined)
  const said = await ops(flow.environment, 'import', log, '--reason', 'Redis was lost')
  assert.equal(said.code, 0, said.err)
  await flow.settled()
  assert.deepEqual(made(), allMade)
})

test('what was lost when all was done is not done twice', async () => {
  const open = async () => (await flow.database.selectFrom('effects').select('id').where('state', '=', 'planned').execute()).length
  await until(async () => (await open()) === 0, 'the journal knows that all is done')
  await flow.redis.flushall()
  const said = await ops(flow.environment, 'redeliver', '--since', '1h', '--reason', 'Redis was lost again')
  assert.equal(said.code, 0, said.err)
  await flow.settled()
  assert.deepEqual(made(), allMade)
})

// A task may be named by a commit first, which only GitLab can tell, and by the description of a later event: its comments
// are in the order of the events all the same.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newMergeRequest } from '../sandbox/forge.ts'
import { ops } from '../support/ops.ts'
import { until } from '../support/until.ts'
import { effectRows, type Flow, mergeRequestHook, openFlow, verbs } from './flow.ts'

let flow: Flow
before(async () => {
  flow = await openFlow(() => ({ SINKS_ENABLED: 'phabricator' }))
  await flow.start('worker')
})
after(() => flow?.close())

// A merge request with a commit that names the second of two new tasks.
function newStory(iid: number): { iid: number; described: number; committed: number } {
  const [described, committed] = [1000 + iid, 2000 + iid]
  for (const id of [described, committed]) flow.sandbox.phabricator.addTask({ id, title: `Task ${id}` })
  const commit = {
    id: String(iid).padStart(40, '0'),
    message: `Do it\n\nBug: T${committed}\n`,
    author: 'alice',
    createdAt: '2026-11-01T10:00:00Z',
  }
  const made = newMergeRequest({ iid, title: `Story ${iid}`, author: 'alice', commits: [commit] })
  flow.sandbox.gitlab.state.projects.find(({ id }) => id === 42)?.mergeRequests.push(made)
  return { iid, described, committed }
}

const naming = (...tasks: number[]) => tasks.map((task) => `Bug: T${task}`).join('\n')
const isAsked = (iid: number) =>
  until(() => flow.sandbox.gitlab.requests.some(({ path }) => path.includes(`/${iid}/commits`)), 'GitLab is asked for the commits')

test('a task that a commit of the first event names, and the description of the second, gets both comments in order', async () => {
  const { iid, described, committed } = newStory(60)
  flow.sandbox.gitlab.fault({ kind: 'slow', ms: 3000 })
  await flow.send(mergeRequestHook(flow, { iid, description: naming(described) }))
  await isAsked(iid)
  await flow.send(mergeRequestHook(flow, { iid, description: naming(described, committed), action: 'merge', state: 'merged' }))
  await flow.settled()
  flow.sandbox.gitlab.fault(undefined)
  assert.deepEqual([verbs(flow, described), verbs(flow, committed)], ['opened merged', 'opened merged'])
})

test('an update that moves a task from a commit into the description brings no second comment', async () => {
  const { iid, described, committed } = newStory(61)
  flow.sandbox.gitlab.fault({ kind: 'slow', ms: 1500 })
  await flow.send(mergeRequestHook(flow, { iid, description: naming(described) }))
  const description = naming(described, committed)
  const changes = { description: { previous: naming(described), current: description } }
  await flow.send({ ...mergeRequestHook(flow, { iid, description, action: 'update' }), changes })
  await flow.settled()
  flow.sandbox.gitlab.fault(undefined)
  assert.deepEqual([verbs(flow, described), verbs(flow, committed)], ['opened', 'opened'])
})

test('while GitLab is away a merge request waits for a minute at most, and no other waits for it', async () => {
  const [waiting, other] = [newStory(62), newStory(63)]
  await flow.sandbox.gitlab.down()
  await flow.send(mergeRequestHook(flow, { iid: waiting.iid, description: naming(waiting.described) }), 'asks')
  await until(() => verbs(flow, waiting.described) === 'opened', 'what the description of the first event names is commented at once')
  const description = naming(waiting.described, waiting.committed)
  await flow.send(mergeRequestHook(flow, { iid: waiting.iid, description, action: 'merge', state: 'merged' }), 'waits')
  await flow.send(mergeRequestHook(flow, { iid: other.iid, description: naming(other.described) }))
  await until(() => verbs(flow, other.described) === 'opened', 'the other merge request has its comment')
  const delayed = async () => (await flow.queues.phabricator.getDelayed()).map(({ id = '' }) => id)
  await until(async () => (await delayed()).length === 2, 'both comments of the second event wait')
  assert.deepEqual([verbs(flow, waiting.described), verbs(flow, waiting.committed)], ['opened', ''])

  const explained = () => ops(flow.environment, 'explain', 'waits')
  const words = /waits until it is known which tasks the commits of an earlier event name \(asks\), for a minute at most/
  await until(async () => words.test((await explained()).out), 'the operator is told what is waited for')

  for (const job of await flow.queues.phabricator.getDelayed()) {
    assert.ok(job.delay > 1000 && job.delay <= 60_001, `${job.delay} ms`)
    await flow.redis.hset(flow.queues.phabricator.toKey(job.id ?? ''), 'timestamp', Date.now() - 61_000)
    await job.promote()
  }
  await until(() => verbs(flow, waiting.committed) === 'merged', 'after a minute it goes ahead')
  await until(() => verbs(flow, waiting.described) === 'opened merged', 'and so does the other one')
  await until(
    async () => [...(await effectRows(flow, 'waits')).values()].filter(({ state }) => state === 'done').length === 2,
    'it is in the journal',
  )
  assert.match(
    (await explained()).out,
    /done +went ahead after a minute, before it was known which tasks .* an earlier event name \(asks\)/,
  )

  await flow.sandbox.gitlab.up()
  await flow.settled()
  assert.equal(verbs(flow, waiting.committed), 'merged opened', 'what GitLab tells then is still commented')
})

test('what waits for nothing does not say that it waits', async () => {
  const { iid, described } = newStory(64)
  await flow.send(mergeRequestHook(flow, { iid, description: naming(described) }), 'plain')
  await flow.settled()
  const { out } = await ops(flow.environment, 'explain', 'plain')
  assert.ok(!/waits|went ahead/.test(out), out)
  assert.match(out, /gitlab-mentions: nothing, gitlab-mentions was not enabled then/)
})

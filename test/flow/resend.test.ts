// GitLab lists what it sent in the last seven days, and sends it again under the same key; by then its jobs may be gone. Two
// hooks, of the system and of a project, tell of the same event under two keys.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { keyPrefix } from '#shared/queue/queues.ts'
import { botNotes, effectRows, type Flow, mergeRequestHook, openFlow, verbs } from './flow.ts'

let flow: Flow
before(async () => {
  flow = await openFlow()
})
after(() => flow?.close())

const searches = () => flow.sandbox.phabricator.requests.filter(({ path }) => path === '/api/transaction.search').length

// What retention does to jobs that are done.
async function forgetJobs(): Promise<void> {
  for (const queue of Object.values(flow.queues)) await queue.clean(0, 0, 'completed')
}

async function forgetLedger(): Promise<void> {
  const pages = await flow.redis.keys(`${keyPrefix(flow.environment.REDIS_PREFIX ?? '')}:made:*`)
  assert.ok(pages.length > 0)
  await flow.redis.del(...pages)
}

const minutes = 60_000
const ages = {
  'ten minutes': 10 * minutes,
  'two days': 2 * 1440 * minutes,
  'seven days': 7 * 1440 * minutes,
  'a year': 365 * 1440 * minutes,
}
const memories = { 'the ledger knows': () => Promise.resolve(), 'Phabricator and GitLab know': forgetLedger }
let task = 100

for (const [age, ms] of Object.entries(ages))
  for (const [memory, forget] of Object.entries(memories))
    test(`an event that is ${age} old and sent again has its effects once, as ${memory}`, async () => {
      task += 1
      flow.sandbox.phabricator.addTask({ id: task, title: 'A task' })
      flow.sandbox.gitlab.mergeRequest(42, 1).notes = []
      const body = mergeRequestHook(flow, { description: `Bug: T${task}`, updated_at: new Date(Date.now() - ms).toISOString() })
      const id = await flow.send(body)
      await flow.settled()
      const made = (await effectRows(flow, id)).get(`phabricator/T${task}`)?.made
      const searched = searches()

      await forgetJobs()
      await forget()
      await flow.send(body, id)
      await flow.settled()
      assert.deepEqual([verbs(flow, task), botNotes(flow).length], ['opened', 1])
      assert.equal((await effectRows(flow, id)).get(`phabricator/T${task}`)?.made, made)
      assert.equal(searches() > searched, memory !== 'the ledger knows')
    })

test('an event that does not say when it happened is looked for, too', async () => {
  task += 1
  flow.sandbox.phabricator.addTask({ id: task, title: 'A task' })
  const body = mergeRequestHook(flow, { description: `Bug: T${task}`, updated_at: undefined })
  const id = await flow.send(body)
  await flow.settled()
  await forgetJobs()
  await forgetLedger()
  await flow.send(body, id)
  await flow.settled()
  assert.equal(verbs(flow, task), 'opened')
})

const onTheFeed = async () => await flow.redis.xlen(`${keyPrefix(flow.environment.REDIS_PREFIX ?? '')}:feed`)
const decided = async (delivery: string) =>
  await flow.database.selectFrom('decisions').select(['sink', 'reason']).where('delivery', '=', delivery).orderBy('sink').execute()

async function sendBoth(first: object, second: object): Promise<string[]> {
  task += 1
  flow.sandbox.phabricator.addTask({ id: task, title: 'A task' })
  flow.sandbox.gitlab.mergeRequest(42, 1).notes = []
  const ids: string[] = []
  for (const attributes of [first, second])
    ids.push(await flow.send(mergeRequestHook(flow, { description: `Bug: T${task}`, ...attributes })))
  await flow.settled()
  return ids
}

test('two hooks that tell of the same event make one comment and one note, and two messages of the feed', async () => {
  const messages = await onTheFeed()
  const at = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString()
  const spelled = `${at.slice(0, 19).replace('T', ' ')} UTC`
  const [first, second = ''] = await sendBoth({ updated_at: at }, { updated_at: spelled })
  assert.deepEqual([verbs(flow, task), botNotes(flow).length, (await onTheFeed()) - messages], ['opened', 1, 2])
  const reason = `the same event as ${first}`
  assert.deepEqual(await decided(second), [
    { sink: 'commits', reason },
    { sink: 'gitlab-mentions', reason },
    { sink: 'phabricator', reason },
    { sink: 'sse', reason: null },
  ])
})

test('a hook that repeats a year later what another one told makes nothing, as long as the ledger knows', async () => {
  const at = new Date(Date.now() - 365 * 86_400_000).toISOString()
  await sendBoth({ updated_at: at }, { updated_at: at })
  assert.equal(verbs(flow, task), 'opened')
})

const now = Date.now()
const at = (ms: number) => ({ updated_at: new Date(now - ms).toISOString() })
const close = { action: 'close', state: 'closed' }
const rows: Array<[what: string, first: object, second: object, made: string]> = [
  ['of another time', { ...close, ...at(1000) }, { ...close, ...at(1001) }, 'closed closed'],
  ['of another action', { ...close, ...at(2000) }, { action: 'reopen', ...at(2000) }, 'closed reopened'],
  ['of another merge request', { ...close, ...at(3000) }, { ...close, iid: 2, ...at(3000) }, 'closed closed'],
  ['that do not say when', { ...close, updated_at: undefined }, { ...close, updated_at: undefined }, 'closed closed'],
]
for (const [what, first, second, made] of rows)
  test(`events ${what} are two`, async () => {
    await sendBoth(first, second)
    assert.equal(verbs(flow, task), made)
  })

test('of two updates at the same time each counts, if they change something else', async () => {
  const [first, second] = [task + 1, task + 2]
  for (const id of [first, second]) flow.sandbox.phabricator.addTask({ id, title: 'A task' })
  task = second
  const { updated_at } = at(0)
  const update = (id: number) => ({
    ...mergeRequestHook(flow, { action: 'update', description: `Bug: T${id}`, updated_at }),
    changes: { description: { previous: '', current: `Bug: T${id}` } },
  })
  for (const id of [first, second, first]) await flow.send(update(id))
  await flow.settled()
  assert.deepEqual([verbs(flow, first), verbs(flow, second)], ['updated', 'updated'])
})

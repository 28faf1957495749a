// GitLab lists what it sent in the last seven days, and sends it again under the same key; by then its jobs may be gone.
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

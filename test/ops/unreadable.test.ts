// Deliveries that the journal has, but not as they came: they keep no other one back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { type Flow, mergeRequestHook, openFlow, verbs } from '../flow/flow.ts'
import { ops } from '../support/ops.ts'
import { post } from '../support/stage.ts'
import { until } from '../support/until.ts'

let flow: Flow
before(async () => {
  flow = await openFlow(() => ({ SINKS_ENABLED: 'phabricator' }))
})
after(() => flow?.close())

const answerSchema = z.object({ redelivered: z.number(), missing: z.array(z.string()), unreadable: z.array(z.string()) })

test('redeliver goes on behind headers that were too long and a body that cannot be read, and tells the latter', async () => {
  for (const [index, action] of (['open', 'close', 'reopen', 'merge'] as const).entries()) {
    // Each quotation mark takes two characters in the journal.
    const headers = { 'idempotency-key': action, ...(action === 'close' && { 'x-gitlab-instance': '"'.repeat(9000) }) }
    const body = mergeRequestHook(flow, { action, state: index === 0 ? 'opened' : 'closed' })
    assert.equal((await post(flow.ingest, body, headers)).status, 202)
  }
  await flow.settled()
  const inJournal = async () => (await flow.database.selectFrom('bodies').select('delivery').execute()).length
  await until(async () => (await inJournal()) === 4, 'all are in the journal')
  // As a release before cut them; and as a torn page leaves a body.
  await flow.database
    .updateTable('bodies')
    .set({ headers: '{"x-gitlab-event":"System Hook","x-gitlab-i' })
    .where('delivery', '=', 'open')
    .execute()
  await flow.database
    .updateTable('bodies')
    .set({ body: Buffer.from('torn') })
    .where('delivery', '=', 'reopen')
    .execute()

  const said = await ops(flow.environment, 'redeliver', '--since', '1h', '--reason', 'to see', '--json')
  assert.equal(said.code, 1)
  assert.match(said.err, /reopen: its body in the journal cannot be read/)
  const { redelivered, missing, unreadable } = answerSchema.parse(JSON.parse(said.out))
  assert.deepEqual({ redelivered, missing, unreadable }, { redelivered: 3, missing: [], unreadable: ['reopen'] })
  await flow.settled()
  assert.equal(verbs(flow, 1), 'opened closed reopened merged')
})

// With DRY_RUN nothing is changed anywhere else, and the journal says what would have been.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { botNotes, effectRows, type Flow, mergeRequestHook, openFlow } from './flow.ts'

let flow: Flow

before(async () => {
  flow = await openFlow(() => ({ DRY_RUN: 'true' }))
})
after(() => flow?.close())

test('a dry run posts nothing and says what it would have done', async () => {
  const { gitlab, phabricator } = flow.sandbox
  const id = await flow.send(mergeRequestHook(flow))
  await flow.settled()
  assert.deepEqual([phabricator.comments(1), phabricator.comments(2), botNotes(flow)], [[], [], []])
  const writing = [
    ...phabricator.requests.filter(({ path }) => path.endsWith('.edit')),
    ...gitlab.requests.filter(({ method }) => method !== 'GET'),
  ]
  assert.deepEqual(writing, [])
  const rows = await effectRows(flow, id)
  const told = (about: string) => [rows.get(about)?.state, rows.get(about)?.reason]
  assert.deepEqual(told('phabricator/T1'), ['nothing', 'dry run: would comment on T1'])
  assert.deepEqual(told('phabricator/T2'), ['nothing', 'dry run: would comment on T2'])
  assert.deepEqual(told('gitlab-mentions/note'), ['nothing', 'dry run: would mention bob, carol'])
})

// Replays through the real binary: what one would do, what it does, that nothing is doubled, and who did it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { ops } from '../support/ops.ts'
import { post } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { about, type Letters, openLetters, range, replaySchema } from './letters.ts'

let letters: Letters
before(async () => {
  letters = await openLetters()
})
after(() => letters?.close())

const comments = (task: number) => letters.sandbox.phabricator.comments(task).map((text) => text.split(' ')[1])
const plansSchema = z.array(z.object({ id: z.string(), sink: z.string(), would: z.string() }))
const letterOf = (delivery: string, task: number) => `${delivery}/phabricator/T${task}`

test('a dry run looks at the remote and says what each letter would do now, and changes nothing', async () => {
  const { phabricator } = letters.sandbox
  await letters.die('first', [9001, 9002, 9003])
  for (const id of [9001, 9002]) phabricator.addTask({ id, title: 'Made later' })
  const job = JSON.parse(
    (await letters.redis.hget(`{${letters.environment.REDIS_PREFIX}}:phabricator:first/phabricator/T9002`, 'data')) ?? '',
  )
  phabricator.addComment(9002, job.data.text)
  const asked = phabricator.requests.length

  // A process that has no time for it while it loads may take the remote for away, and says so.
  const { data } = await until(async () => {
    const said = await letters.json('replay', '--id', 'first', '--dry-run', '--rate', '100')
    return said.code === 0 ? said : undefined
  }, 'it looks')
  const would = plansSchema.parse(data).map((plan) => plan.would)
  assert.deepEqual(would.slice(0, 2), ['would comment on T9001', `already there (${phabricator.url}/T9002): nothing`])
  assert.match(would[2] ?? '', /^would comment on T9003, and fail again: .*does not exist/)
  assert.equal(phabricator.requests.slice(asked).filter(({ path }) => path.endsWith('maniphest.edit')).length, 0)
  assert.equal((await letters.dead()).length, 3)

  const { PHABRICATOR_TOKEN: _, ...without } = letters.environment
  const blind = await ops(without, 'replay', letterOf('first', 9001), '--dry-run')
  assert.match(blind.out, /would comment on T9001, unless it is there already; without PHABRICATOR_TOKEN that cannot be looked up/)
})

test('a replay makes what can be made, once, and says what failed again', async () => {
  const { code, data } = await letters.json('replay', '--id', 'first', '--rate', '100', '--reason', 'the tasks are there')
  const { state, chosen, replayed, failedAgain } = replaySchema.parse(data)
  assert.deepEqual({ state, chosen, replayed, failedAgain }, { state: 'done', chosen: 3, replayed: 3, failedAgain: 1 })
  assert.equal(code, 1, 'one failed again')
  assert.deepEqual([comments(9001), comments(9002)], [['closed'], ['closed']])
  await until(async () => (await letters.dead()).length === 1, 'the third is dead again')
})

test('a replayed letter has a fresh budget, also of starts and stalls', async () => {
  const id = letterOf('first', 9003)
  const key = `{${letters.environment.REDIS_PREFIX}}:phabricator:${id}`
  await letters.redis.hset(key, 'stc', 2, 'ats', 9)
  assert.equal((await letters.json('replay', id, '--reason', 'to be sure')).code, 1)
  assert.deepEqual(await letters.redis.hmget(key, 'atm', 'ats', 'stc'), ['1', '1', null])
  await until(async () => (await letters.dead()).length === 1, 'it is dead again')
})

test('letters of one task are replayed in the order of their events, and before what waits for a later one', async () => {
  await letters.die('second', [9010], 'merge-request-open')
  await letters.die('third', [9010], 'merge-request-close')
  letters.sandbox.phabricator.addTask({ id: 9010, title: 'Made later' })
  assert.equal((await ops(letters.environment, 'pause', 'phabricator', '--reason', 'to be sure')).code, 0)
  await post(letters.ingest, about([9010], 'merge-request-reopen', letters.sandbox.gitlab.url), { 'idempotency-key': 'fourth' })
  await until(() => letters.redis.exists(`{${letters.environment.REDIS_PREFIX}}:phabricator:fourth/phabricator/T9010`), 'it waits')
  const replay = ops(
    letters.environment,
    'replay',
    letterOf('third', 9010),
    letterOf('second', 9010),
    '--rate',
    '100',
    '--reason',
    'to be sure',
  )
  const state = async (delivery: string) =>
    (await letters.database.selectFrom('effects').select('state').where('id', '=', letterOf(delivery, 9010)).executeTakeFirst())?.state
  await until(async () => (await state('second')) === 'planned' && (await state('third')) === 'planned', 'both are back')
  assert.equal((await ops(letters.environment, 'resume', 'phabricator', '--reason', 'to be sure')).code, 0)
  assert.equal((await replay).code, 0)
  await until(() => comments(9010).length === 3, 'all three are there')
  assert.deepEqual(comments(9010), ['opened', 'closed', 'reopened'])
})

test('it stops by itself when more than half of the last 20 fail again, is over then, and the same command begins anew with all', async () => {
  await letters.die('many', range(9100, 40))
  const { code, data } = await letters.json('replay', '--id', 'many', '--rate', '1000', '--reason', 'to be sure')
  const { state, replayed } = replaySchema.parse(data)
  assert.equal(code, 1)
  assert.equal(state, 'stopped')
  assert.ok(replayed >= 11 && replayed < 40, `${replayed} were tried`)
  const dead = async () => (await letters.dead()).filter((id) => id.startsWith('many/')).length
  await until(async () => (await dead()) === 40, 'those that failed again are dead letters')
  for (const id of range(9100, 40)) letters.sandbox.phabricator.addTask({ id, title: 'Made later' })
  const anew = replaySchema.parse((await letters.json('replay', '--id', 'many', '--rate', '1000', '--reason', 'to be sure')).data)
  assert.deepEqual([anew.state, anew.chosen, anew.replayed, anew.failedAgain, anew.continued], ['done', 40, 40, 0, false])
  const [last] = z
    .array(z.object({ what: z.string() }))
    .parse((await letters.json('audit', '--limit', '2')).data)
    .toReversed()
  assert.equal(last?.what, `${replayed} of 40, stopped by itself`)
})

test('ids that are no dead letters are told, and keep no other from being dealt with', async () => {
  const id = letterOf('first', 9003)
  letters.sandbox.phabricator.addTask({ id: 9003, title: 'Made even later' })
  const said = await ops(letters.environment, 'replay', 'nobody/phabricator/T1', id, letterOf('first', 9001), '--reason', 'to be sure')
  assert.equal(said.code, 1)
  assert.equal(said.err.split('\n').filter((line) => line.endsWith(': no such dead letter')).length, 2)
  assert.deepEqual(comments(9003), ['closed'])
})

test('every act is listed with who did it, what, to how many, and why', async () => {
  const acts = z
    .array(z.looseObject({ id: z.number(), at: z.string(), who: z.string(), verb: z.string(), count: z.number(), reason: z.string() }))
    .parse((await letters.json('audit')).data)
  assert.ok(acts.every(({ who, at }) => who !== '' && !Number.isNaN(Date.parse(at))))
  assert.deepEqual(acts.map(({ verb, count, reason }) => [verb, count, reason]).at(-1), ['replay', 3, 'the tasks are there'])
  assert.ok(acts.some(({ verb }) => verb === 'pause'))
})

// Replays that are interrupted, run twice at once, or begun after Redis was lost: each effect once, all the same.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Queue } from 'bullmq'
import { z } from 'zod'
import { present } from '#shared/queue/presence.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { ops, typeOps } from '../support/ops.ts'
import { until } from '../support/until.ts'
import { about, type Letters, openLetters, range, replaySchema } from './letters.ts'

let letters: Letters
before(async () => {
  letters = await openLetters()
})
after(() => letters?.close())

const made = (tasks: number[]) => tasks.map((task) => letters.sandbox.phabricator.comments(task).length)
const ones = (tasks: number[]) => tasks.map(() => 1)
const make = (tasks: number[]) => {
  for (const id of tasks) letters.sandbox.phabricator.addTask({ id, title: 'Made later' })
}
const outcomes = async (replay?: number) => {
  const query = letters.database.selectFrom('replay_effects').select('outcome').where('outcome', 'is not', null)
  return (await (replay === undefined ? query : query.where('replay', '=', replay)).execute()).length
}

// Whoever hands something in looks whether a worker is there.
async function loseRedis(): Promise<void> {
  const prefix = letters.environment.REDIS_PREFIX ?? ''
  await letters.redis.flushall()
  const isThere = async () => (await present({ redis: letters.redis, prefix })).some(({ app }) => app === 'worker')
  await until(isThere, 'the worker says again that it is there')
}

test('a replay that was killed goes on where it was, with what was frozen at its beginning', async () => {
  const tasks = range(9200, 30)
  await letters.die('killed', tasks)
  make(tasks)
  const typed = typeOps(letters.environment, 'replay', '--id', 'killed', '--rate', '8', '--reason', 'first go')
  await until(async () => (await outcomes()) >= 5, 'some are replayed')
  typed.kill('SIGKILL')
  await typed.said
  const before = await outcomes()
  assert.ok(before < 30, `${before} were replayed before it was killed`)
  await letters.die('killed-later', [9290])
  make([9290])

  const { code, err, data } = await letters.json('replay', '--id', 'killed', '--rate', '100', '--reason', 'second go')
  const { state, chosen, replayed, failedAgain, continued } = replaySchema.parse(data)
  assert.deepEqual(
    { state, chosen, replayed, failedAgain, continued },
    { state: 'done', chosen: 30, replayed: 30, failedAgain: 0, continued: true },
  )
  assert.equal(code, 0, err)
  assert.match(err, /continuing replay \d+: \d+ of 30 are left/)
  assert.deepEqual(made(tasks), ones(tasks))
  assert.deepEqual(made([9290]), [0], 'what died later was not chosen')
  const acts = await letters.database.selectFrom('acts').select(['reason', 'count']).where('verb', '=', 'replay').orderBy('id').execute()
  assert.deepEqual(
    acts.map(({ reason }) => reason),
    ['first go', 'second go'],
  )
})

test('Ctrl-C ends a replay cleanly, and the same command goes on', async () => {
  const tasks = range(9300, 25)
  await letters.die('interrupted', tasks)
  make(tasks)
  const earlier = await outcomes()
  const typed = typeOps(letters.environment, 'replay', '--id', 'interrupted', '--rate', '8', '--reason', 'to be sure')
  await until(async () => (await outcomes()) >= earlier + 4, 'some are replayed')
  typed.kill('SIGINT')
  const said = await typed.said
  assert.equal(said.code, 1)
  assert.match(said.out, /of 25 put back; interrupted: the same command goes on/)
  assert.equal((await ops(letters.environment, 'replay', '--id', 'interrupted', '--rate', '100', '--reason', 'to be sure')).code, 0)
  assert.deepEqual(made(tasks), ones(tasks))
})

test('two operators at once: the same replay is run by one of them, different ones share what both chose', async () => {
  const tasks = range(9400, 30)
  await letters.die('two', tasks)
  make(tasks)
  // None of them is over before the others have begun.
  await Promise.all([1, 2, 3].map(() => ops(letters.environment, 'dead')))
  const same = ['replay', '--id', 'two', '--rate', '8', '--reason', 'to be sure', '--json']
  const all = await Promise.all([
    ops(letters.environment, ...same),
    ops(letters.environment, ...same),
    ops(letters.environment, 'replay', '--id', 'tw', '--rate', '12', '--reason', 'to be sure', '--json'),
  ])
  const read = all.map(({ out }) => replaySchema.parse(JSON.parse(out)))
  assert.deepEqual(
    all.map(({ code }) => code),
    [0, 0, 0],
    all.map(({ err }) => err).join('\n'),
  )
  assert.equal(read[0]?.id, read[1]?.id)
  assert.notEqual(read[0]?.id, read[2]?.id)
  const acts = await letters.database.selectFrom('acts').select(['details', 'count']).where('verb', '=', 'replay').execute()
  const ofBoth = acts.filter(({ details }) => JSON.parse(details).replay === read[0]?.id)
  const { data } = await letters.json('audit', '--limit', '3')
  const whats = z.array(z.object({ who: z.string(), what: z.string() })).parse(data)
  const joined = `joined replay ${read[0]?.id}, begun by ${whats[0]?.who}`
  assert.equal(whats.filter(({ what }) => what === joined).length, 1)
  // The other replay, which is faster, may have put back all of them before.
  assert.equal(ofBoth.length, 2)
  assert.ok(ofBoth.filter(({ count }) => count > 0).length <= 1, 'one runs it, the other watches')
  await until(() => made(tasks).every((count) => count > 0), 'all comments are there')
  assert.deepEqual(made(tasks), ones(tasks))
})

test('after the loss of Redis a letter is planned anew from the journal, alone, and looked up before it is made', async () => {
  await letters.die('lost', [9501, 9502])
  make([9501, 9502])
  const text = `alice closed ${letters.sandbox.gitlab.url}/repos/releng/gitlab-demo/-/merge_requests/1`
  const waiting = async () => (await letters.database.selectFrom('effects').select('id').where('state', '=', 'planned').execute()).length
  await until(async () => (await waiting()) === 0, 'the journal is complete')
  const ended = async () =>
    await letters.database.selectFrom('effects').select(['id', 'ended_at']).where('sink', '<>', 'phabricator').orderBy('id').execute()
  const before = await ended()
  const asked = letters.sandbox.phabricator.requests.length
  await loseRedis()

  const { code, data, err } = await letters.json('replay', 'lost/phabricator/T9501', '--rate', '100', '--reason', 'to be sure')
  assert.equal(code, 0, err)
  assert.equal(replaySchema.parse(data).replayed, 1)
  await until(() => made([9501])[0] === 1, 'the comment is there')
  assert.ok(letters.sandbox.phabricator.comments(9501)[0]?.startsWith(text))
  const methods = letters.sandbox.phabricator.requests.slice(asked).map(({ path }) => path.split('/').at(-1))
  assert.deepEqual(
    methods.filter((method) => method !== 'user.whoami'),
    ['transaction.search', 'maniphest.edit'],
  )
  assert.deepEqual(made([9502]), [0], 'the other letter of the delivery was not asked for')
  assert.deepEqual(await ended(), before, 'no other effect was performed')
})

test('a discarded letter stays in the journal, its job is gone, and whatever brings its delivery again brings no letter', async () => {
  await letters.die('gone', [9601, 9602])
  const group = await letters.database.selectFrom('effects').select('error').where('id', '=', 'gone/phabricator/T9601').executeTakeFirst()
  const listed = await letters.json('discard', '--group', group?.error ?? '', '--id', 'gone', '--dry-run')
  const dry = z.array(z.object({ id: z.string(), sink: z.string(), reason: z.string() })).parse(listed.data)
  assert.deepEqual(
    dry.map(({ id }) => id),
    ['gone/phabricator/T9601', 'gone/phabricator/T9602'],
  )
  assert.equal((await ops(letters.environment, 'discard', '--group', group?.error ?? '', '--id', 'gone', '--reason', 'never mind')).code, 0)
  const states = async () => {
    const rows = await letters.database.selectFrom('effects').select(['id', 'state']).where('delivery', '=', 'gone').execute()
    return rows.flatMap(({ id, state }) => (id.includes('/phabricator/T96') ? [state] : []))
  }
  assert.deepEqual(await states(), ['discarded', 'discarded'])
  assert.equal(await letters.redis.exists(`{${letters.environment.REDIS_PREFIX}}:phabricator:gone/phabricator/T9601`), 0)
  const again = await ops(letters.environment, 'discard', 'gone/phabricator/T9601', '--reason', 'to be sure')
  assert.equal(again.code, 1)
  assert.match(again.err, /gone\/phabricator\/T9601: no such dead letter/)

  make([9601, 9602])
  const redelivered = await ops(letters.environment, 'redeliver', 'gone', '--reason', 'to be sure')
  assert.equal(redelivered.out, '1 deliveries sent through again; 2 effects of theirs that were discarded stay so; all is through\n')
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-gone-'))
  letters.defer(() => rm(directory, { recursive: true }))
  const line = {
    id: 'gone',
    receivedAt: new Date().toISOString(),
    headers: {},
    body: JSON.stringify(about([9601, 9602], 'merge-request-close', letters.sandbox.gitlab.url)),
  }
  await writeFile(join(directory, 'events.log'), `${JSON.stringify(line)}\n`)
  await loseRedis()
  const imported = await ops(letters.environment, 'import', join(directory, 'events.log'), '--rate', '10', '--reason', 'Redis was lost')
  assert.equal(imported.out, '1 deliveries handed in, 0 lines left out; 2 effects of theirs that were discarded stay so; all is through\n')
  assert.deepEqual(
    [made([9601, 9602]), await states()],
    [
      [0, 0],
      ['discarded', 'discarded'],
    ],
  )
})

test('a delivery that the router could not read is replayed by sending it through again', async () => {
  const prefix = `{${letters.environment.REDIS_PREFIX}}`
  const queue = new Queue('deliveries', { connection: letters.redis, prefix })
  const delivery = { id: 'unread', receivedAt: new Date().toISOString(), headers: {}, body: 'no JSON' }
  await queue.add('delivery', delivery, { jobId: deliveryJobId('unread') })
  await until(async () => (await letters.dead()).includes('unread/router/delivery'), 'it is a dead letter')
  const planned = await letters.json('replay', '--sink', 'router', '--dry-run')
  assert.match(JSON.stringify(planned.data), /would send the whole delivery through again/)
  const { code, data } = await letters.json('replay', 'unread/router/delivery', '--reason', 'to be sure')
  assert.deepEqual([code, replaySchema.parse(data).failedAgain], [1, 1])
  await until(async () => (await letters.dead()).includes('unread/router/delivery'), 'it is one again')
  assert.equal((await ops(letters.environment, 'discard', 'unread/router/delivery', '--reason', 'to be sure')).code, 0)
  assert.equal(await queue.getJob(deliveryJobId('unread')), undefined)
})

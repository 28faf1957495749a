// What an operator does is written down before it is done, so also what was interrupted or failed is on record; and it
// happens to what was meant, and to nothing else.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { migrate } from '#shared/journal/database.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import { deliveriesOf } from '../support/deliveries.ts'
import { ops, typeOps } from '../support/ops.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
  await migrate(stage.database)
  for (const minute of [1, 2, 3, 4]) await insert(`d${minute}`, minute)
})
after(() => stage?.close())

const key = (name: string) => `{${stage.environment.REDIS_PREFIX}}:phabricator:${name}`
const lastAct = async () =>
  await stage.database.selectFrom('acts').select(['verb', 'count', 'reason']).orderBy('id', 'desc').executeTakeFirst()
const stateOf = async (id: string) =>
  (await stage.database.selectFrom('effects').select('state').where('id', '=', id).executeTakeFirst())?.state

const letter = (delivery: string, minute: number) => {
  const at = new Date(Date.UTC(2026, 10, 1, 0, minute))
  const ended = { state: 'dead' as const, reason: 'no', error: '0123456789ab', link: null, made: null, attempts: 1, ended_at: at }
  const effect = { id: `${delivery}/phabricator/T1`, delivery, sink: 'phabricator', order_key: 'T1', task: 1, since: at }
  return { ...effect, ...ended, received_at: at, kind: 'push', project: null }
}

// A delivery of that minute, and a dead letter that came of it.
async function insert(id: string, minute: number): Promise<void> {
  const at = new Date(Date.UTC(2026, 10, 1, 0, minute))
  const told = { received_at: at, kind: 'push', project: null }
  const understood = { action: null, iid: null, username: null, title: null, origin: 'hook' }
  await stage.database
    .insertInto('deliveries')
    .values({ id, ...told, ...understood })
    .execute()
  await stage.database
    .insertInto('bodies')
    .values({ delivery: id, headers: '{}', body: gzipSync('{}') })
    .execute()
  await stage.database.insertInto('effects').values(letter(id, minute)).execute()
}

async function rows(...args: string[]): Promise<Array<Record<string, unknown>>> {
  const { code, out, err } = await ops(stage.environment, ...args, '--json')
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

test('of what matches the newest are meant by --limit, and are dealt with in the order of time', async () => {
  const plans = await rows('replay', '--sink', 'phabricator', '--limit', '2', '--dry-run', '--rate', '100')
  assert.deepEqual(
    plans.map(({ id }) => id),
    ['d3/phabricator/T1', 'd4/phabricator/T1'],
  )
  assert.equal((await rows('dead', 'groups')).length, 1)
  const dry = await rows('redeliver', '--kind', 'push', '--limit', '3', '--dry-run')
  assert.deepEqual(
    dry.map(({ id }) => id),
    ['d2', 'd3', 'd4'],
  )
  assert.deepEqual(await deliveriesOf(stage).ids(), [], 'nothing has been sent')
  assert.equal((await ops(stage.environment, 'redeliver', '--kind', 'push', '--limit', '3', '--reason', 'to be sure')).code, 0)
  assert.deepEqual(await deliveriesOf(stage).ids(), ['d2', 'd3', 'd4'])
  assert.equal(JSON.parse((await ops(stage.environment, 'redeliver', 'd1', 'd1', '--reason', 'to be sure', '--json')).out).redelivered, 1)
  assert.equal((await ops(stage.environment, 'discard', '--sink', 'phabricator', '--limit', '1', '--reason', 'to be sure')).code, 0)
  assert.deepEqual([await stateOf('d4/phabricator/T1'), await stateOf('d3/phabricator/T1')], ['discarded', 'dead'])
})

test('among dead letters there are none in another state, and at most so many groups as are asked for', async () => {
  assert.deepEqual(await rows('dead', '--state', 'discarded'), [])
  assert.equal((await rows('dead', '--state', 'dead')).length, 3)
  await stage.database.updateTable('effects').set({ error: 'ba9876543210' }).where('id', '=', 'd2/phabricator/T1').execute()
  assert.deepEqual([(await rows('dead', 'groups')).length, (await rows('dead', 'groups', '--limit', '1')).length], [2, 1])
})

test('a letter that is put back while it is discarded stays, and Ctrl-C ends it with what was done on record', async () => {
  const id = 'd1/phabricator/T1'
  const more = Array.from({ length: 500 }, (_, index) => letter(`later-${index}`, 10))
  await stage.database.insertInto('effects').values(more).execute()
  const queue = openQueue({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' }, 'phabricator')
  await queue.add('effect', {}, { jobId: id })
  await stage.redis.lrem(key('wait'), 0, id)
  await stage.redis.zadd(key('failed'), 1, id)
  const typed = await stage.database.transaction().execute(async (others) => {
    await others.updateTable('effects').set({ state: 'planned' }).where('id', '=', id).execute()
    const discarding = typeOps(stage.environment, 'discard', '--sink', 'phabricator', '--reason', 'in a hurry', '--json')
    await until(async () => (await lastAct())?.reason === 'in a hurry', 'it is written down before it is done')
    discarding.kill('SIGINT')
    return discarding
  })
  const { code, out, err } = await typed.said
  assert.equal(code, 1)
  const { discarded, interrupted } = JSON.parse(out)
  assert.ok(interrupted && discarded < 500)
  assert.match(err, new RegExp(`interrupted after ${discarded} dead letters`))
  assert.deepEqual(await lastAct(), { verb: 'discard', count: discarded, reason: 'in a hurry' })
  const [said] = await rows('audit', '--limit', '1')
  assert.match(String(said?.what), new RegExp(`^${discarded} of 50[0-9], interrupted$`))
  assert.deepEqual([await (await queue.getJob(id))?.isFailed(), await stateOf(id)], [true, 'planned'])
})

test('a dry run that is interrupted says so', async () => {
  const typed = typeOps(stage.environment, 'replay', '--sink', 'phabricator', '--dry-run', '--rate', '0.1', '--json')
  await until(() => typed.err().includes('checked 1'), 'it has begun')
  typed.kill('SIGINT')
  const { code, err, out } = await typed.said
  assert.deepEqual([code, JSON.parse(out).length], [1, 1])
  assert.match(err, /interrupted: 1 of at least \d+ checked/)
})

test('an act that fails is on record, as done to nothing', async () => {
  await stage.redis.call('ACL', 'SETUSER', 'default', '-@scripting')
  const failed = await ops(stage.environment, 'pause', 'sse', '--reason', 'in vain')
  await stage.redis.call('ACL', 'SETUSER', 'default', '+@scripting')
  assert.equal(failed.code, 1)
  assert.deepEqual(await lastAct(), { verb: 'pause', count: 0, reason: 'in vain' })
})

test('the log is listed, latest first, under its former name, too, which is in no help', async () => {
  const [audit, acts] = await Promise.all([ops(stage.environment, 'audit', '--json'), ops(stage.environment, 'acts', '--json')])
  assert.deepEqual([audit.code, acts.code], [0, 0], acts.err)
  const entries = z.array(z.object({ id: z.number(), verb: z.string() })).parse(JSON.parse(audit.out))
  assert.ok(entries.length > 1)
  assert.deepEqual(
    entries,
    entries.toSorted((one, other) => other.id - one.id),
  )
  assert.equal(acts.out, audit.out)
  const { out: help } = await ops(stage.environment, '--help')
  assert.match(help, /^ {2}audit /m)
  assert.doesNotMatch(help, /\bacts\b/)
})

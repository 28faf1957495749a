// What the queue does about each word that a sink may throw.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import { patientRedis } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { refusalOf } from '#shared/queue/redis-refusal.ts'
import { openHolds } from '../../apps/worker/performer/holds.ts'
import { openRedisProxy } from '../support/redis-proxy.ts'
import { until } from '../support/until.ts'
import { addAsBefore, done, effect, empty, openBenches, type Perform } from './bench.ts'

let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
})
after(() => benches.close())

test('a plain error is tried again, and is a dead letter when the attempts are spent', async () => {
  const bench = benches.open()
  const one = effect('one', 'lane')
  await addAsBefore(bench, one, { attempts: 2, backoff: { type: 'custom' } })
  await bench.dispatch([effect('two', 'lane')])
  const tries: string[] = []
  await bench.start('phabricator', (about) => {
    tries.push(about)
    return about === 'one' ? Promise.reject(new Error('no luck')) : Promise.resolve(done)
  })
  await empty(bench)
  const [dead] = await bench.queues.phabricator.getFailed()
  assert.deepEqual(tries, ['one', 'one', 'two'])
  assert.equal(dead?.id, one.id)
  assert.equal(dead?.attemptsMade, 2)
  assert.deepEqual(bench.ended, ['one: dead', 'two: done'])
})

test('what can never succeed is a dead letter at once, and what waits behind it goes on', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'lane'), effect('two', 'lane')])
  const tries: string[] = []
  await bench.start('phabricator', (about) => {
    tries.push(about)
    return about === 'one' ? Promise.reject(new Permanent('there is no such task')) : Promise.resolve(done)
  })
  await empty(bench)
  assert.deepEqual(tries, ['one', 'two'])
  assert.deepEqual(
    (await bench.queues.phabricator.getFailed()).map(({ failedReason }) => failedReason),
    ['there is no such task'],
  )
})

const refusals = {
  'Redis 7': "OOM command not allowed when used memory > 'maxmemory'. script: 1028a5dba704, on @user_script:1.",
  'Redis 6.2':
    "ERR Error running script (call to f_1028a5dba704): @user_script:41: @user_script: 41: -READONLY You can't write against a read only replica.",
}
for (const [server, message] of Object.entries(refusals)) {
  test(`what a script of ours is refused by ${server} costs no attempt`, async () => {
    const bench = benches.open()
    await bench.dispatch([effect('one', 'lane')])
    let tries = 0
    await bench.start('phabricator', () => {
      tries += 1
      return tries === 1 ? Promise.reject(Object.assign(new Error(message), { name: 'ReplyError' })) : Promise.resolve(done)
    })
    await until(() => tries === 1, 'it was refused')
    const isHeld = () => bench.redis.hget(`{${bench.prefix}}:hold:phabricator`, 'reason')
    await until(async () => (await isHeld())?.startsWith('Redis says: '), 'the queue is held')
    await empty(bench)
    const [job] = await bench.queues.phabricator.getCompleted()
    assert.deepEqual([tries, job?.attemptsMade, bench.ended], [2, 1, ['one: done']])
  })
}

test('an error that only tells of such an answer is none', () => {
  const named = (message: string) => refusalOf(Object.assign(new Error(message), { name: 'ReplyError' }))
  assert.equal(named('ERR Error running script (call to f_ab): @user_script:1: @user_script: 1: Wrong number of args -OOM'), undefined)
  assert.equal(named('ERR value is not READONLY'), undefined)
  assert.equal(refusalOf(new Error('OOM command not allowed')), undefined)
})

test('a transaction that Redis refuses for the state it is in is such an answer, and one that is wrong is none', async () => {
  const { redis, prefix } = benches.open()
  await redis.config('SET', 'min-replicas-to-write', '1')
  const refused = await redis.multi().set(`{${prefix}}:some`, 1).exec().catch(refusalOf)
  await redis.config('SET', 'min-replicas-to-write', '0')
  const wrong = redis.multi()
  wrong.call('SET', `{${prefix}}:some`)
  assert.deepEqual([refused, await wrong.exec().catch(refusalOf)], ['NOREPLICAS', undefined])
})

const words = { Unavailable: () => new Unavailable('it is down'), Refused: () => new Refused('no such token') }
for (const [word, make] of Object.entries(words)) {
  test(`${word}: a hundred effects wait behind one probe at a time, cost no attempt, and go on at full speed`, async () => {
    const bench = benches.open()
    await bench.dispatch(Array.from({ length: 100 }, (_, index) => effect(`e${index}`, `lane ${index}`)))
    await bench.dispatch([effect('elsewhere', 'feed', 'sse')])
    let isDown = true
    let calls = 0
    let underWay = 0
    let most = 0
    let successes = 0
    const perform: Perform = async () => {
      const fails = isDown
      calls++
      most = Math.max(most, ++underWay)
      if (fails) await new Promise((resolve) => setTimeout(resolve, 20))
      // The first that succeeds is the probe; those behind it go on when there are enough of them at a time.
      else if (successes++ > 0) await until(() => most > 5, 'six run at a time')
      underWay--
      if (fails) throw make()
      return done
    }
    await bench.start('phabricator', perform)
    await bench.start('phabricator', perform)
    await bench.start('sse', () => Promise.resolve(done))
    const probes = () => bench.redis.hget(`{${bench.prefix}}:hold:phabricator`, 'probes')
    await untilProbes(probes, 1)
    await until(async () => (await bench.queues.phabricator.getActiveCount()) === 0, 'what was under way is put back')
    // Those that were under way when the first one met it are all that may have tried beside it.
    const [burst, probed] = [calls, Number(await probes())]
    assert.ok(burst <= 20 + probed, `${burst} calls at first`)
    most = underWay
    await untilProbes(probes, probed + 2)
    assert.ok(most <= 1, `${most} at a time while held`)
    assert.ok(calls - burst <= 22, `${calls - burst} probes`)
    assert.deepEqual(bench.ended, ['elsewhere: done'])

    isDown = false
    most = 0
    await empty(bench)
    const jobs = await bench.queues.phabricator.getCompleted()
    assert.equal(jobs.length, 100)
    assert.deepEqual([...new Set(jobs.map(({ attemptsMade }) => attemptsMade))], [1])
    assert.equal(await bench.queues.phabricator.getGlobalConcurrency(), null)
  })
}

async function untilProbes(probes: () => Promise<string | null>, count: number): Promise<void> {
  await until(async () => Number((await probes()) ?? 0) >= count, `${count} probes were made`)
}

test('Retry-After is waited for', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'lane')])
  const times: number[] = []
  await bench.start('phabricator', () => {
    times.push(Date.now())
    return times.length === 1 ? Promise.reject(new Unavailable('later', { retryAfter: 2500 })) : Promise.resolve(done)
  })
  await empty(bench)
  const [first = 0, second = 0] = times
  assert.equal(times.length, 2)
  assert.ok(second - first >= 2450, `${second - first} ms`)
})

test('a worker that dies while it lets a hold go leaves no queue slow that nobody holds', async () => {
  const bench = benches.open()
  const log = pino({ level: 'silent' })
  const key = `{${bench.prefix}}:hold:phabricator`
  const holdsOver = (redis: Redis) => {
    const place = { redis, prefix: bench.prefix }
    return openHolds({ ...place, queue: openQueue(place, 'phabricator'), concurrency: undefined, log })
  }
  await holdsOver(bench.redis).hold(new Unavailable('down'))
  assert.equal(await bench.queues.phabricator.getGlobalConcurrency(), 1)
  await until(async () => (await bench.queues.phabricator.getRateLimitTtl()) <= 0, 'the probe is due')

  // Its connection breaks for good right after the first command that changes the hold.
  const look = (command: string[]) => (command.includes(key) ? 'after' : 'pass')
  const proxy = await openRedisProxy({ redisUrl: benches.url, look, strike: () => undefined })
  const dying = patientRedis(proxy.url)
  const noOneLearns = () => undefined
  holdsOver(dying).release().catch(noOneLearns)
  await until(async () => (await bench.redis.exists(key)) === 0, 'the hold is gone')
  dying.disconnect()
  proxy.close()
  assert.equal(await bench.queues.phabricator.getGlobalConcurrency(), null)
})

// Effects with the same order run one after another, as they were planned, whatever happens to each of them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { Permanent, Unavailable } from '#shared/process/errors.ts'
import { countJobs } from '#shared/queue/counts.ts'
import { until } from '../support/until.ts'
import { addAsBefore, type Bench, done, effect, empty, openBenches, type Perform } from './bench.ts'

let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
})
after(() => benches.close())

type Plan = { lane: 'a' | 'b' | 'c'; ms: number; first: 'done' | 'fails' | 'unavailable' }
const plan: fc.Arbitrary<Plan> = fc.record({
  lane: fc.constantFrom('a', 'b', 'c'),
  ms: fc.integer({ min: 0, max: 60 }),
  first: fc.oneof({ weight: 6, arbitrary: fc.constant('done' as const) }, fc.constantFrom('fails', 'unavailable')),
})

test('with two workers, retries and holds, no effect of a lane overlaps or overtakes another', async () => {
  // Each time the remote is away it is waited for twice as long.
  const schedule = fc
    .array(plan, { minLength: 4, maxLength: 14 })
    .filter((plans) => plans.filter(({ first }) => first === 'unavailable').length <= 4)
  await fc.assert(
    fc.asyncProperty(schedule, async (plans) => {
      const bench = benches.open()
      const running = new Map<string, string>()
      const tried = new Set<string>()
      const ends: string[] = []
      const wrong: string[] = []
      const perform: Perform = async (about) => {
        const { lane, ms, first } = plans[Number(about)] ?? { lane: 'a', ms: 0, first: 'done' }
        if (running.has(lane)) wrong.push(`${about} runs beside ${running.get(lane)} in ${lane}`)
        running.set(lane, about)
        await pause(ms)
        running.delete(lane)
        const isFirst = !tried.has(about)
        tried.add(about)
        if (isFirst && first === 'fails') throw new Error('not this time')
        if (isFirst && first === 'unavailable') throw new Unavailable('not now')
        ends.push(about)
        return done
      }
      const workers = await Promise.all([bench.start('phabricator', perform), bench.start('phabricator', perform)])
      await bench.dispatch(plans.map(({ lane }, index) => effect(String(index), lane)))
      await empty(bench)
      await Promise.all(workers.map(({ stop }) => stop()))
      assert.deepEqual(wrong, [])
      for (const lane of ['a', 'b', 'c']) {
        const inLane = (about: string) => plans[Number(about)]?.lane === lane
        const planned = plans.map((_, index) => String(index)).filter(inLane)
        assert.deepEqual(ends.filter(inLane), planned)
      }
    }),
    { numRuns: 4, endOnFailure: true },
  )
})

test('different lanes run at the same time', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'a'), effect('two', 'b')])
  const running = new Set<string>()
  await bench.start('phabricator', async (about) => {
    running.add(about)
    await until(() => running.size === 2, 'both run')
    return done
  })
  await empty(bench)
  assert.equal(bench.ended.length, 2)
})

test('planning an effect again changes nothing of its lane, and leaves nothing in it when the effect has ended', async () => {
  const bench = benches.open()
  const [again, next] = [effect('again', 'a'), effect('next', 'a')]
  const lane = `{${bench.prefix}}:lane:phabricator:a`
  const performed: string[] = []
  await bench.dispatch([again])
  await bench.dispatch([again])
  assert.equal(await bench.redis.zcard(lane), 1)
  await bench.start('phabricator', (about) => {
    performed.push(about)
    return Promise.resolve(done)
  })
  await empty(bench)
  // As when GitLab sends an event again.
  await bench.dispatch([again])
  assert.equal(await bench.redis.exists(lane), 0)
  await bench.dispatch([again, next])
  await empty(bench)
  assert.deepEqual(performed, ['again', 'next'])
  assert.deepEqual(await bench.redis.keys(`{${bench.prefix}}:*:phabricator:a`), [])
})

test('one that has ended without leaving its lane does not block it', async () => {
  const bench = benches.open()
  const ghost = effect('ghost', 'a')
  const performed: string[] = []
  await bench.dispatch([ghost])
  await bench.start('phabricator', (about) => {
    performed.push(about)
    return Promise.resolve(done)
  })
  await empty(bench)
  await addAsBefore(bench, ghost, 'ghost')
  await bench.dispatch([effect('next', 'a')])
  await empty(bench)
  assert.deepEqual(performed, ['ghost', 'next'])
})

// A lane whose first effect is dead, whose second one runs until `go` is called, and whose third one waits.
async function withDeadLetter(isHeld: boolean) {
  const bench = benches.open()
  const [first, second, third] = [effect('first', 'a'), effect('second', 'a'), effect('third', 'a')]
  const { promise: gate, resolve: go } = Promise.withResolvers<void>()
  const running = new Set<string>()
  const wrong: string[] = []
  const ends: string[] = []
  let isDeadly = true
  await bench.dispatch([first])
  await bench.start('phabricator', async (about) => {
    if (about === 'first' && isDeadly) throw new Permanent('not yet')
    for (const other of running) wrong.push(`${about} runs beside ${other}`)
    running.add(about)
    if (about === 'second' && isHeld) await gate
    running.delete(about)
    ends.push(about)
    return done
  })
  const job = await until(async () => {
    const found = await bench.queues.phabricator.getJob(first.id)
    return (await found?.isFailed()) ? found : undefined
  }, 'the first one is dead')
  isDeadly = false
  return { bench, first, second, third, job, running, wrong, ends, go }
}

test('one that is put back does not run beside the one that is under way, and goes before those behind it', async () => {
  const { bench, first, second, third, job, running, wrong, ends, go } = await withDeadLetter(true)
  await bench.dispatch([second, third])
  await until(() => running.has('second'), 'the second one is under way')
  // Whoever puts it back had looked before that was so.
  assert.equal(await bench.lanes.putBack(first, { later: [second.id, third.id] }), true)
  assert.equal(await bench.lanes.putBack(first, { later: [second.id, third.id] }), false)
  assert.equal(await job.getState(), 'waiting-children')
  go()
  await empty(bench)
  assert.deepEqual([wrong, ends], [[], ['second', 'first', 'third']])
})

test('two that are put back while a later one is under way stay in their order behind it', async () => {
  const bench = benches.open()
  const dead = ['dead 1', 'dead 2'].map((about) => effect(about, 'lane'))
  const later = effect('later', 'lane')
  await bench.dispatch(dead)
  let isMended = false
  const { promise, resolve } = Promise.withResolvers<typeof done>()
  await bench.start('phabricator', (about) => {
    if (about === 'later') return promise
    return isMended ? Promise.resolve(done) : Promise.reject(new Permanent('it is wrong'))
  })
  await empty(bench)
  isMended = true
  await bench.dispatch([later])
  await until(async () => (await bench.queues.phabricator.getActiveCount()) === 1, 'the later one is under way')
  for (const one of dead) await bench.lanes.putBack(one, { later: [later.id] })
  assert.deepEqual(
    await bench.lanes.waiting(later),
    [later, ...dead].map(({ id }) => id),
  )
  resolve(done)
})

test('one that is put back goes before those that have not begun, and their head stands back', async () => {
  const { bench, first, second, third, wrong, ends } = await withDeadLetter(false)
  await bench.queues.phabricator.pause()
  await bench.dispatch([second, third])
  await bench.lanes.putBack(first, { later: [second.id, third.id] })
  assert.deepEqual(await bench.lanes.waiting(first), [first.id, second.id, third.id])
  assert.deepEqual(await queued(bench), [first.id])
  await bench.queues.phabricator.resume()
  await empty(bench)
  assert.deepEqual([wrong, ends], [[], ['first', 'second', 'third']])
})

test('a hundred that are put back one after another stay in their order, in front of the one behind them', async () => {
  const bench = benches.open()
  const dead = Array.from({ length: 100 }, (_, index) => effect(`dead ${199 - index}`, 'lane'))
  await bench.dispatch(dead)
  await bench.start('phabricator', () => Promise.reject(new Permanent('it is wrong')))
  await empty(bench)
  await bench.queues.phabricator.pause()
  const later = effect('later', 'lane')
  await bench.dispatch([later])
  for (const one of dead) await bench.lanes.putBack(one, { later: [later.id] })
  assert.deepEqual(
    await bench.lanes.waiting(later),
    [...dead, later].map(({ id }) => id),
  )
})

test('only the head of a lane is queued, and the others count as waiting', async () => {
  const bench = benches.open()
  const { redis, prefix, queues } = bench
  const all = ['one', 'two', 'three'].map((about) => effect(about, 'a'))
  await bench.dispatch([...all, effect('beside', 'b')])
  assert.deepEqual(await queued(bench), [effect('beside', 'b').id, all[0]?.id])
  assert.equal((await countJobs(queues.phabricator, { redis, prefix })).waiting, 4)
  await bench.start('phabricator', async (about) => {
    if (about === 'two') assert.deepEqual(await queues.phabricator.getJobState(all[2]?.id ?? ''), 'waiting-children')
    return done
  })
  await empty(bench)
  assert.deepEqual(
    bench.ended.filter((end) => end !== 'beside: done'),
    ['one: done', 'two: done', 'three: done'],
  )
})

test('jobs that the release before queued, all of a lane, run in its order, among new ones', async () => {
  const bench = benches.open()
  const names = Array.from({ length: 12 }, (_, index) => String(index))
  const running = new Set<string>()
  const wrong: string[] = []
  for (const about of names.slice(0, 8)) await addAsBefore(bench, effect(about, 'a'), { attempts: 3 })
  await bench.dispatch(names.slice(8).map((about) => effect(about, 'a')))
  const perform: Perform = async (about) => {
    for (const other of running) wrong.push(`${about} runs beside ${other}`)
    running.add(about)
    await pause(5)
    running.delete(about)
    return done
  }
  await Promise.all([bench.start('phabricator', perform), bench.start('phabricator', perform)])
  await empty(bench)
  assert.deepEqual([wrong, bench.ended], [[], names.map((about) => `${about}: done`)])
})

test('one that has no job blocks nobody', async () => {
  const bench = benches.open()
  await addAsBefore(bench, effect('never', 'a'), 'ghost')
  await bench.dispatch([effect('waits', 'a')])
  await bench.start('phabricator', () => Promise.resolve(done))
  await empty(bench)
  assert.deepEqual(bench.ended, ['waits: done'])
})

test('one whose worker died after its end is not performed again, and its lane has gone on', async () => {
  const bench = benches.open()
  const [one, two, dead] = [effect('one', 'a'), effect('two', 'a'), effect('dead', 'b')]
  const { phabricator } = bench.queues
  await bench.dispatch([one, two, dead])
  for (const [{ id }, ended] of [
    [one, 'well'],
    [dead, 'It never can.'],
  ] as const) {
    await bench.redis.hset(phabricator.toKey(id), { ats: 1, ended })
    await bench.redis.zrem(`{${bench.prefix}}:lane:phabricator:a`, id)
  }
  const performed: string[] = []
  await bench.start('phabricator', (about) => {
    performed.push(about)
    return Promise.resolve(done)
  })
  await until(async () => (await phabricator.getFailedCount()) === 1, 'the dead one is dead')
  await until(async () => (await phabricator.getJobState(one.id)) === 'completed', 'the other one is done')
  assert.deepEqual(performed, [])
  // What stood back without anybody queuing it, as after a worker of the release before, is found.
  await empty(bench)
  assert.deepEqual(performed, ['two'])
})

test('one that waits for an earlier question is called by its end, and asks again', async () => {
  const bench = benches.open()
  const question = effect('question', 'mr', 'commits')
  const after = { sink: 'commits', order: 'mr' }
  const told: string[] = []
  const asked = Promise.withResolvers<void>()
  await bench.dispatch([question, { ...effect('comment', 'mr T1'), after }, { ...effect('other', 'mr T2'), after }])
  await bench.start('phabricator', (about) => {
    told.push(about)
    return Promise.resolve(done)
  })
  const delayed = async () => await bench.queues.phabricator.getDelayedCount()
  await until(async () => (await delayed()) === 2, 'both are put off')
  await bench.start('commits', async () => {
    await asked.promise
    return done
  })
  asked.resolve()
  await empty(bench)
  assert.deepEqual(new Set(told), new Set(['comment', 'other']))
})

test('one that asks for its turn just when the question it waits for is answered does not go before what that brings', async () => {
  const bench = benches.open()
  const { phabricator } = bench.queues
  const question = effect('question', 'mr', 'commits')
  const comment = { ...effect('comment', 'mr T1'), after: { sink: 'commits', order: 'mr' } }
  const brought = effect('brought', 'mr T1')
  await bench.dispatch([question, comment])
  const lock = { key: phabricator.toKey(`${comment.id}:lock`), token: 'mine' }
  await bench.redis.set(lock.key, lock.token)
  await bench.redis.rpoplpush(phabricator.toKey('wait'), phabricator.toKey('active'))
  await bench.dispatch([brought], { cause: question })
  assert.deepEqual(await bench.lanes.turn(comment, lock), { state: 'waits' })
  assert.equal(await phabricator.getJobState(comment.id), 'waiting-children')
  await Promise.all((['phabricator', 'commits'] as const).map((name) => bench.start(name, () => Promise.resolve(done))))
  await empty(bench)
  assert.deepEqual(
    bench.ended.filter((end) => end !== 'question: done'),
    ['brought: done', 'comment: done'],
  )
})

test('a lane that nobody enters any more is forgotten some day', async () => {
  const { redis, prefix, dispatch } = benches.open()
  await dispatch([effect('forgotten', 'left behind')])
  const days = (await redis.ttl(`{${prefix}}:lane:phabricator:left behind`)) / 86_400
  assert.ok(days > 80 && days <= 90, `${days} days`)
})

test('a lane in which somebody waits is not forgotten', async () => {
  const { redis, prefix, dispatch, start } = benches.open()
  await dispatch([effect('held', 'for months'), effect('behind it', 'for months')])
  await redis.expire(`{${prefix}}:lane:phabricator:for months`, 3600)
  const { promise, resolve } = Promise.withResolvers<typeof done>()
  await start('phabricator', () => promise)
  await until(async () => (await redis.ttl(`{${prefix}}:lane:phabricator:for months`)) > 80 * 86_400, 'it is kept for longer')
  resolve(done)
})

function queued({ redis, queues }: Bench): Promise<string[]> {
  return redis.lrange(queues.phabricator.toKey('wait'), 0, -1)
}

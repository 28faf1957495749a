// Effects with the same order run one after another, as they were planned, whatever happens to each of them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { Permanent, Unavailable } from '#shared/process/errors.ts'
import { until } from '../support/until.ts'
import { done, effect, empty, openBenches, type Perform } from './bench.ts'

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
  const schedule = fc.array(plan, { minLength: 4, maxLength: 14 })
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
      await empty(bench, 'phabricator', 40_000)
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

test('one that has ended without leaving its lane blocks it only for a moment', async () => {
  const bench = benches.open()
  const ghost = effect('ghost', 'a')
  const performed: string[] = []
  await bench.dispatch([ghost])
  await bench.start('phabricator', (about) => {
    performed.push(about)
    return Promise.resolve(done)
  })
  await empty(bench)
  await bench.lanes.enter(ghost)
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
  await bench.lanes.enter(first, [second.id, third.id])
  await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
  await until(async () => Number(await bench.redis.hget(bench.queues.phabricator.toKey(first.id), 'ats')) >= 2, 'the first one has looked')
  go()
  await empty(bench)
  assert.deepEqual([wrong, ends], [[], ['second', 'first', 'third']])
})

test('one that is about to be put back keeps its place although its job is dead still', async () => {
  const { bench, first, second, third, job, wrong, ends } = await withDeadLetter(false)
  await bench.lanes.enter(first)
  await bench.dispatch([second, third])
  await until(
    async () => Number(await bench.redis.hget(bench.queues.phabricator.toKey(second.id), 'ats')) >= 3,
    'the second one has looked',
  )
  assert.deepEqual(ends, [])
  await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
  await empty(bench)
  assert.deepEqual([wrong, ends], [[], ['first', 'second', 'third']])
})

test('one that was planned but never came is waited for, and given up after a minute', async () => {
  const bench = benches.open()
  await bench.lanes.enter(effect('never', 'a'))
  const performed: string[] = []
  await bench.dispatch([effect('waits', 'a')])
  await bench.start('phabricator', (about) => {
    performed.push(about)
    return Promise.resolve(done)
  })
  const waits = await bench.queues.phabricator.getJob(effect('waits', 'a').id)
  const starts = async () => Number(await bench.redis.hget(bench.queues.phabricator.toKey(waits?.id ?? ''), 'ats'))
  await until(async () => (await starts()) >= 3, 'it has looked several times')
  assert.deepEqual(performed, [])
  await bench.redis.hset(bench.queues.phabricator.toKey(waits?.id ?? ''), 'timestamp', Date.now() - 61_000)
  await empty(bench)
  assert.deepEqual(performed, ['waits'])
})

test('a lane that nobody enters any more is forgotten some day', async () => {
  const { redis, prefix, lanes } = benches.open()
  await lanes.enter(effect('forgotten', 'left behind'))
  const days = (await redis.ttl(`{${prefix}}:lane:phabricator:left behind`)) / 86_400
  assert.ok(days > 80 && days <= 90, `${days} days`)
})

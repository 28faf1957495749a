// The fence before a call that cannot be undone: who passes it, and what the next run of the job is told.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Unavailable } from '#shared/process/errors.ts'
import type { Context } from '#sinks/context.ts'
import type { History } from '#sinks/history.ts'
import { until } from '../support/until.ts'
import { addAsBefore, type Bench, done, effect, empty, openBenches } from './bench.ts'

let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
})
after(() => benches.close())

const one = effect('one', 'lane')
const limitMs = 2000

type Ending = (context: Context) => Promise<void>
const down = () => Promise.reject(new Unavailable('down'))

const endings: Record<string, { end: Ending; next: History; waits: boolean }> = {
  'it only waited': { end: down, next: 'new', waits: false },
  'it failed before the call': { end: () => Promise.reject(new Error('no luck')), next: 'new', waits: false },
  'its call was refused': {
    end: ({ fence }) => fence.pass().then(fence.answered).then(fence.undone).then(down),
    next: 'new',
    waits: false,
  },
  'its call was answered with an error': {
    end: ({ fence }) => fence.pass().then(fence.answered).then(down),
    next: 'maybe-done',
    waits: false,
  },
  'its call was given up': { end: ({ fence }) => fence.pass().then(down), next: 'maybe-done', waits: true },
}

for (const [what, { end, next, waits }] of Object.entries(endings))
  test(`after a run of which ${what}, the next one ${waits ? 'waits until it is over' : 'comes soon'}, and ${next === 'new' ? 'need not look' : 'looks'}`, async () => {
    const bench = benches.open()
    await bench.dispatch([one])
    const runs: Array<{ at: number; history: History }> = []
    await bench.start('phabricator', async (_about, context) => {
      runs.push({ at: performance.now(), history: context.history })
      if (runs.length === 1) await end(context)
      return done
    })
    await empty(bench)
    assert.deepEqual(
      runs.map((run) => run.history),
      ['new', next],
    )
    const ms = (runs[1]?.at ?? 0) - (runs[0]?.at ?? 0)
    if (waits) assert.ok(ms >= limitMs, `${ms} ms`)
  })

test('an effect that waited in its lane need not be looked for', async () => {
  const bench = benches.open()
  await bench.dispatch([one, effect('behind', 'lane')])
  const histories: History[] = []
  await bench.start('phabricator', (_about, { history }) => {
    histories.push(history)
    return Promise.resolve(done)
  })
  await empty(bench)
  assert.deepEqual(histories, ['new', 'new'])
})

const silent: Record<string, { before: (bench: Bench) => Promise<unknown>; next: History }> = {
  'before its fence need not be looked for': { before: ({ dispatch }) => dispatch([one]), next: 'new' },
  'behind its fence is looked for': {
    before: ({ dispatch, redis, queues }) => dispatch([one]).then(() => redis.hset(queues.phabricator.toKey(one.id), 'begun', 'x')),
    next: 'maybe-done',
  },
  'while a worker of an earlier release made its call is looked for': {
    before: ({ dispatch, redis, prefix }) => dispatch([one]).then(() => redis.set(atWork(prefix), 'x', 'PX', 3000)),
    next: 'maybe-done',
  },
  'and was added by an earlier release is looked for': { before: (bench) => addAsBefore(bench, one, {}), next: 'maybe-done' },
}

for (const [what, { before: prepare, next }] of Object.entries(silent))
  test(`an effect whose worker died ${what}`, async () => {
    const bench = benches.open()
    await prepare(bench)
    await bench.redis.hset(bench.queues.phabricator.toKey(one.id), 'ats', 1)
    const histories: History[] = []
    await bench.start('phabricator', (_about, { history }) => {
      histories.push(history)
      return Promise.resolve(done)
    })
    await empty(bench)
    assert.deepEqual(histories, [next])
  })

test('whoever is not at the head of its lane does not pass, and comes again', async () => {
  const bench = benches.open()
  await bench.dispatch([one])
  const lane = `{${bench.prefix}}:lane:phabricator:lane`
  const runs: string[] = []
  await bench.start('phabricator', async (about, { fence }) => {
    runs.push(about)
    if (runs.length === 1) await bench.redis.zadd(lane, 0, 'ahead')
    const passed = fence.pass()
    await passed.catch(() => undefined)
    await bench.redis.zrem(lane, 'ahead')
    await passed
    return done
  })
  await empty(bench)
  assert.deepEqual([runs, bench.ended], [['one', 'one'], ['one: done']])
})

test('what was made before counts, unless an operator has the effect made once more', async () => {
  const bench = benches.open()
  const told: Array<[History, made: string | undefined]> = []
  await bench.start('phabricator', (_about, { history, made }) => {
    told.push([history, made])
    return Promise.resolve({ ...done, made: 'note-1' })
  })
  for (const more of [{}, { again: true }, { again: true, anew: true }]) {
    await bench.dispatch([{ ...one, ...more }])
    await empty(bench)
    const job = await bench.queues.phabricator.getJob(one.id)
    await job?.remove()
  }
  assert.deepEqual(told, [
    ['new', undefined],
    ['maybe-done', 'note-1'],
    ['redo', undefined],
  ])
})

test('whoever has lost the job does not pass, and nothing is written', async () => {
  const bench = benches.open()
  await bench.dispatch([one])
  const refused: string[] = []
  await bench.start('phabricator', async (_about, { fence }) => {
    if (refused.length > 0) return done
    await bench.redis.set(bench.queues.phabricator.toKey(`${one.id}:lock`), 'of another one', 'PX', 10_000)
    await fence.pass().catch((error: unknown) => refused.push(String(error)))
    assert.deepEqual(await bench.redis.keys('*:at-work:*'), [])
    throw new Error('not ours')
  })
  await until(() => refused.length > 0, 'it was refused')
  assert.match(refused[0] ?? '', /is run by another worker/)
})

test('passing prolongs the lock as BullMQ does', async () => {
  const bench = benches.open()
  await bench.dispatch([one])
  const { phabricator } = bench.queues
  const left: number[] = []
  await bench.start('phabricator', async (_about, { fence }) => {
    const lock = phabricator.toKey(`${one.id}:lock`)
    await bench.redis.pexpire(lock, 2000)
    await bench.redis.sadd(phabricator.toKey('stalled'), one.id)
    await fence.pass()
    left.push(await bench.redis.pttl(lock), await bench.redis.sismember(phabricator.toKey('stalled'), one.id))
    return done
  })
  await empty(bench)
  assert.ok((left[0] ?? 0) > 2000, `${left[0]} ms`)
  assert.equal(left[1], 0)
  assert.deepEqual(await bench.redis.keys(`{${bench.prefix}}:at-work:*`), [])
})

test('what is left of a job that is gone does not keep its effect from being added again', async () => {
  const bench = benches.open()
  await bench.dispatch([one, effect('next', 'other lane')])
  const { phabricator } = bench.queues
  const performed: string[] = []
  const perform = async (about: string) => {
    performed.push(about)
    if (about === 'next') return done
    await bench.redis.del(phabricator.toKey(one.id))
    throw new Error('no luck')
  }
  await bench.start('phabricator', perform, 1)
  await until(() => performed.includes('next'), 'the run has ended')
  assert.equal(await bench.redis.exists(phabricator.toKey(one.id)), 0)
})

const atWork = (prefix: string) => `{${prefix}}:at-work:phabricator:${one.id}`

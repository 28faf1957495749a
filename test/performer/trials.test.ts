// What is known of a job that was under way when workers died, and what becomes of it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from '../support/until.ts'
import { type Bench, done, effect, empty, openBenches } from './bench.ts'

let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
})
after(() => benches.close())

/** As if two workers had died while it was under way. */
async function suspect({ redis, queues }: Bench, about: string): Promise<void> {
  await redis.hset(queues.phabricator.toKey(effect(about, '').id), 'stc', 2)
}

test('while a suspect is tried nothing else runs in its process, and then all goes on', async () => {
  const bench = benches.open()
  const names = Array.from({ length: 30 }, (_, index) => `e${index}`)
  await bench.dispatch(names.map((about) => effect(about, `lane of ${about}`)))
  for (const about of ['e7', 'e20']) await suspect(bench, about)
  const running = new Set<string>()
  const beside: Record<string, number> = {}
  let most = 0
  await bench.start('phabricator', async (about) => {
    running.add(about)
    most = Math.max(most, running.size)
    if (about === 'e0') await until(() => most > 1, 'another one runs beside the first, which is no suspect')
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const one of running) beside[one] = Math.max(beside[one] ?? 0, running.size - 1)
    running.delete(about)
    return done
  })
  await empty(bench)
  assert.deepEqual([beside.e7, beside.e20], [0, 0])
  assert.equal(bench.ended.length, 30)
})

test('a suspect whose attempt fails, or finds the remote down, is no suspect any more', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'lane')])
  await suspect(bench, 'one')
  let calls = 0
  await bench.start('phabricator', async () => {
    if (++calls === 1) throw new Error('no luck')
    return done
  })
  await empty(bench)
  assert.deepEqual([calls, bench.ended], [2, ['one: done']])
})

test('a worker that only lost its lock while it tried a suspect has not died', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'lane')])
  await suspect(bench, 'one')
  const over = Promise.withResolvers<void>()
  let calls = 0
  const perform = async () => {
    if (++calls === 1) await over.promise
    return done
  }
  // Each runs one at a time, so that it is the other one that takes it up.
  await bench.start('phabricator', perform, 1)
  await bench.start('phabricator', perform, 1)
  await until(() => calls === 1, 'it is tried')
  // The one that tries it goes on, and renews a lock that is not its own any more.
  const job = bench.queues.phabricator.toKey(effect('one', '').id)
  const loseLock = async () => {
    await bench.redis.del(`${job}:lock`)
    return (await bench.redis.hget(job, 'stc')) === '3'
  }
  await until(loseLock, 'it counts as stalled')
  await until(() => calls === 2, 'another one has taken it up')
  over.resolve()
  await empty(bench)
  assert.deepEqual(await bench.queues.phabricator.getFailed(), [])
})

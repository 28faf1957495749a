// Sinks that cannot look for what they made: how often they are performed, whatever becomes of their call.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Permanent, Unavailable } from '#shared/process/errors.ts'
import { readHold } from '#shared/queue/hold.ts'
import type { Context } from '#sinks/context.ts'
import { done, effect, empty, openBenches } from './bench.ts'

let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
})
after(() => benches.close())

const once = { repeat: 'at-most-once' } as const
const down = () => Promise.reject(new Unavailable('down'))

const endings: Record<string, { end: (context: Context) => Promise<void>; runs: number; state: string }> = {
  'only waited': { end: down, runs: 2, state: 'done' },
  'failed before its call': { end: () => Promise.reject(new Error('no luck')), runs: 2, state: 'done' },
  'was told that nothing was done': {
    end: ({ fence }) => fence.pass().then(fence.answered).then(fence.undone).then(down),
    runs: 2,
    state: 'done',
  },
  'was answered with an error': { end: ({ fence }) => fence.pass().then(fence.answered).then(down), runs: 1, state: 'nothing' },
  'had no answer to its call': { end: ({ fence }) => fence.pass().then(down), runs: 1, state: 'nothing' },
}

for (const [what, { end, runs, state }] of Object.entries(endings))
  test(`at most once: what ${what} is ${runs === 2 ? 'performed again' : 'not'}`, async () => {
    const bench = benches.open()
    await bench.dispatch([effect('one', 'lane')])
    let run = 0
    const perform = async (_about: string, context: Context) => {
      run += 1
      if (run === 1) await end(context)
      await context.fence.pass()
      return done
    }
    await bench.start('phabricator', perform, 1, once)
    await empty(bench)
    assert.deepEqual([run, bench.ended], [runs, [`one: ${state}`]])
  })

test('at least once: what had no answer to its call is performed again', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'lane')])
  let run = 0
  const perform = async (_about: string, { fence }: Context) => {
    run += 1
    await fence.pass()
    return run === 1 ? await Promise.reject(new Unavailable('down')) : done
  }
  await bench.start('phabricator', perform, 1, { repeat: 'at-least-once' })
  await empty(bench)
  assert.deepEqual([run, bench.ended], [2, ['one: done']])
})

test('at most once: what comes again is performed only if this Redis must know of it', async () => {
  const bench = benches.open()
  const performed: string[] = []
  const perform = async (about: string, { fence }: Context) => {
    performed.push(about)
    await fence.pass()
    return done
  }
  await bench.start('phabricator', perform, 1, once)
  const older = { ...effect('older', 'a'), since: new Date(Date.now() - 60_000).toISOString(), again: true }
  const newer = { ...effect('newer', 'b'), since: new Date(Date.now() + 1000).toISOString(), again: true }
  await bench.dispatch([older, newer])
  await empty(bench)
  assert.deepEqual(performed, ['newer'])
  assert.deepEqual(new Set(bench.ended), new Set(['older: nothing', 'newer: done']))
})

test('at most once: a sink that passes no fence before it makes something is found out', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'lane'), effect('none', 'other')])
  const perform = (about: string) => (about === 'none' ? Promise.reject(new Permanent('never')) : Promise.resolve(done))
  await bench.start('phabricator', perform, 1, once)
  await empty(bench)
  assert.deepEqual(new Set(bench.ended), new Set(['one: dead', 'none: dead']))
})

test('what is not performed again lets no hold go while others wait for the remote', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'a'), effect('two', 'b'), effect('three', 'c')])
  const probes: Array<number | undefined> = []
  const perform = async (_about: string, { fence }: Context) => {
    probes.push((await readHold(bench.redis, bench.prefix, 'phabricator'))?.probes)
    await fence.pass()
    return await Promise.reject(new Unavailable('it answers 502'))
  }
  await bench.start('phabricator', perform, 1, once)
  await empty(bench)
  assert.deepEqual(bench.ended, ['one: nothing', 'two: nothing', 'three: nothing'])
  assert.deepEqual(probes, [undefined, 1, 2])
})

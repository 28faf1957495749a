// Takes a minute, and more on a busy machine: bin/test test/performer/killer.long.ts
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectRows } from '../flow/flow.ts'
import { until } from '../support/until.ts'
import { patience, play } from './deaths.ts'

test('an effect that kills workers again and again is tried alone and given up, but none of those that were beside', {
  timeout: 300_000,
}, async () => {
  let deaths = 0
  await play(
    (task) => task === 1 || deaths < 2,
    async ({ start, worker: first, asked, openOnEach, kill, sandbox, dead, ...flow }) => {
      await openOnEach([1, 2, 5])
      const isOver = async () => (await dead('phabricator')).length > 0
      for (let worker = first; deaths < 8; worker = await start('worker')) {
        const before = [1, 2, 5].map(asked)
        const isUnderWay = () => [1, 2, 5].every((task, at) => asked(task) > (before[at] ?? 0) || (task !== 1 && deaths >= 2))
        await until(async () => (await isOver()) || isUnderWay(), 'what kills it is under way', patience)
        if (await isOver()) break
        await kill(worker)
        deaths++
      }
      const reason = 'It was under way at 3 deaths of a worker, and nothing else was at the last one.'
      assert.deepEqual(await dead('phabricator'), [{ id: 'names-1/phabricator/T1', reason }])
      assert.equal(deaths, 3)
      await flow.settled()
      assert.deepEqual(
        [1, 2, 5].map((task) => sandbox.phabricator.comments(task).length),
        [0, 1, 1],
      )
      const rows = [await effectRows({ ...flow, sandbox, start }, 'names-1'), await effectRows({ ...flow, sandbox, start }, 'names-2')]
      assert.deepEqual([rows[0]?.get('phabricator/T1')?.state, rows[0]?.get('phabricator/T1')?.reason], ['dead', reason])
      assert.equal(rows[1]?.get('phabricator/T2')?.state, 'done')
    },
  )
})

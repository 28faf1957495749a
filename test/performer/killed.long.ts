// Takes a minute, and more on a busy machine: bin/test test/performer/killed.long.ts
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { patience, play } from './deaths.ts'

test('a worker that is killed four times by something else gives nothing up', { timeout: 300_000 }, async () => {
  let deaths = 0
  await play(
    () => deaths < 4,
    async ({ start, worker: first, asked, openOnEach, kill, sandbox, dead, settled }) => {
      const all = () => [1, 2, 5].map(asked).reduce((sum, one) => sum + one)
      await openOnEach([1, 2, 5])
      let worker = first
      for (; deaths < 4; deaths++) {
        const before = all()
        await until(() => all() > before, 'something is under way', patience)
        await kill(worker)
        worker = await start('worker')
      }
      await until(() => [1, 2, 5].every((task) => sandbox.phabricator.comments(task).length > 0), 'all comments are there', patience)
      await settled()
      assert.deepEqual(await dead('phabricator'), [])
      assert.deepEqual(
        [1, 2, 5].map((task) => sandbox.phabricator.comments(task).length),
        [1, 1, 1],
      )
    },
  )
})

// The crash matrix in short, with what is guaranteed. `node test/crash/matrix.ts` plays it at length, and freezes workers for
// longer than they keep their jobs; test/core does so at named moments. Seeds that once went wrong are played again.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openMariaDb, playRound } from './round.ts'

const small = { merges: 12, pushes: 12, seconds: 10, patience: 120_000, longFreezes: false, rollouts: 1 }
const seeds = [7]

let mariadb: Awaited<ReturnType<typeof openMariaDb>>
before(async () => {
  mariadb = await openMariaDb()
})
after(() => mariadb.close())

for (const seed of seeds) {
  test(`nothing is lost, doubled or out of order when everything is killed and frozen (seed ${seed})`, async () => {
    const heard: string[] = []
    const { lost, doubled, disordered, wrong } = await playRound(seed, small, mariadb, (text) => void heard.push(text))
    const found = { lost, doubled, disordered, wrong }
    assert.deepEqual(found, { lost: [], doubled: [], disordered: [], wrong: [] }, heard.join('\n'))
  })
}

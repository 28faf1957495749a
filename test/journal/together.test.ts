import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { together } from '#shared/journal/together.ts'

const mebibyte = 1024 * 1024

test('whatever comes, all of it is sent once, in order, in groups that are not too large, one after another', async () => {
  const items = fc.array(fc.record({ weight: fc.integer({ min: 0, max: 2 * mebibyte }), waits: fc.boolean() }), { maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(items, async (list) => {
      const groups: number[][] = []
      let sending = 0
      const take = together<number>({
        async send(group) {
          sending += 1
          assert.equal(sending, 1)
          await turn()
          groups.push(group)
          sending -= 1
        },
        weigh: (index) => list[index]?.weight ?? 0,
      })
      const taken: Array<Promise<void>> = []
      for (const [index, { waits }] of list.entries()) {
        taken.push(take(index))
        if (waits) await turn()
      }
      await Promise.all(taken)
      assert.deepEqual(groups.flat(), [...list.keys()])
      for (const group of groups) {
        assert.ok(group.length <= 100)
        const weight = group.reduce((sum, index) => sum + (list[index]?.weight ?? 0), 0)
        assert.ok(group.length === 1 || weight <= mebibyte, `${weight} bytes`)
      }
    }),
    { numRuns: 50 },
  )
})

test('what comes while a group is on its way goes together', async () => {
  const groups: string[][] = []
  const take = together<string>({
    async send(group) {
      groups.push(group)
      await turn()
    },
    weigh: () => 1,
  })
  await Promise.all(['a', 'b', 'c'].map(take))
  assert.deepEqual(groups, [['a'], ['b', 'c']])
})

test('a group that could not be sent is told to those in it, and the next ones go on', async () => {
  const take = together<number>({
    async send(group) {
      await turn()
      if (group.includes(2)) throw new Error('no')
    },
    weigh: () => 1,
  })
  const results = await Promise.allSettled([1, 2, 3].map(take))
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  await take(4)
})

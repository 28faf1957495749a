// Whose spool files a process waits for: of those whose owners may be dead, as long as that cannot be known, and not for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nameOf } from '../../apps/ingest/spool/names.ts'
import { watchStrangers } from '../../apps/ingest/spool/strangers.ts'

const file = (owner: string, age: number) => nameOf(`${owner}.1.0000`, `${1_790_000_000_000 + age}-000000-0000`)
const ageOf = (age: number) => `${1_790_000_000_000 + age}-000000-ffff`

test('a file of another host is waited for by whoever has none, or only younger ones', () => {
  const strangers = watchStrangers()
  assert.equal(strangers.areBefore(undefined), false)
  strangers.see([file('pod', 10)], 0)
  assert.equal(strangers.areBefore(undefined), true)
  assert.equal(strangers.areBefore(ageOf(11)), true)
  assert.equal(strangers.areBefore(ageOf(9)), false)
  strangers.see([], 1)
  assert.equal(strangers.areBefore(undefined), false)
})

test('an owner that lives beside us delays nothing after a minute, whatever new files it makes', () => {
  const looks = fc.array(fc.record({ after: fc.integer({ min: 1, max: 20_000 }), hasFile: fc.boolean() }), { minLength: 1 })
  fc.assert(
    fc.property(looks, (list) => {
      const strangers = watchStrangers()
      let now = 0
      let first: number | undefined
      for (const { after, hasFile } of list) {
        now += after
        if (hasFile) first ??= now
        strangers.see(hasFile ? [file('pod', now)] : [], now)
        assert.equal(strangers.areBefore(undefined), hasFile && now - (first ?? now) < 60_000)
      }
    }),
  )
})

test('two that see each other never both wait', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(1000), { minLength: 2, maxLength: 2 }), ([one = 0, other = 0]) => {
      const waits = ([own, seen]: [number, number]) => {
        const strangers = watchStrangers()
        strangers.see([file('pod', seen)], 0)
        return strangers.areBefore(ageOf(own))
      }
      assert.notEqual(waits([one, other]), waits([other, one]))
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { retries, retryDelay } from '#shared/queue/retries.ts'

test('delays grow threefold from a second, and never beyond ten minutes', () => {
  const delays = Array.from({ length: 12 }, (_, index) => retryDelay(index + 1, 1))
  assert.deepEqual(delays.slice(0, 7), [1000, 3000, 9000, 27_000, 81_000, 243_000, 600_000])
  assert.deepEqual(new Set(delays.slice(7)), new Set([600_000]))
})

test('jitter takes away at most a quarter, so that no delay is longer than the next', () => {
  const attempt = fc.integer({ min: 1, max: 1000 })
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(attempt, chance, (number, random) => {
      const delay = retryDelay(number, random)
      const longest = retryDelay(number, 1)
      assert.ok(Number.isInteger(delay) && delay >= Math.floor(longest * 0.75) && delay <= longest)
    }),
  )
  assert.ok(new Set(Array.from({ length: 50 }, () => retryDelay(5))).size > 10)
})

test('all attempts of an effect together take about a quarter of an hour', () => {
  const minutes = Array.from({ length: retries.attempts - 1 }, (_, index) => retryDelay(index + 1, 0.5)).reduce((a, b) => a + b) / 60_000
  assert.ok(minutes > 12 && minutes < 18, `${minutes} min`)
})

// Answers that may be a little old are asked for once; failures are not remembered.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cached } from '#sinks/http/cache.ts'

const { signal } = new AbortController()

test('an answer is asked for once, and again when it has become too old', async () => {
  let asked = 0
  const ask = (key: string) => Promise.resolve(`${key} ${++asked}`)
  const patient = cached(ask)
  assert.deepEqual([await patient('a', signal), await patient('a', signal), await patient('b', signal)], ['a 1', 'a 1', 'b 2'])
  const impatient = cached(ask, { ms: 0 })
  assert.deepEqual([await impatient('a', signal), await impatient('a', signal)], ['a 3', 'a 4'])
})

test('a failure is not kept', async () => {
  let asked = 0
  const flaky = cached(() => (++asked === 1 ? Promise.reject(new Error('away')) : Promise.resolve('here')))
  await assert.rejects(flaky('a', signal), /away/)
  assert.equal(await flaky('a', signal), 'here')
})

test('no more answers are kept than allowed', async () => {
  let asked = 0
  const small = cached((key) => Promise.resolve(`${key} ${++asked}`), { most: 2 })
  for (const key of ['a', 'b', 'c']) await small(key, signal)
  assert.equal(await small('c', signal), 'c 3')
  assert.equal(await small('a', signal), 'a 4', 'the oldest had to go')
})

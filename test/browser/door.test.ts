// Pieces of the way in to the operator's page: how often a token may be guessed, and where a login may lead.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countGuesses } from '../../apps/worker/ops/page/door/guesses.ts'
import { ownPath } from '../../apps/worker/ops/page/door/origin.ts'

test('after so many wrong tokens nobody may try until a minute after the first of them', () => {
  let now = 1_000_000
  const guesses = countGuesses(3, () => now)
  for (let guess = 0; guess < 3; guess++) {
    assert.equal(guesses.wait(), 0)
    guesses.wrong()
    now += 1000
  }
  assert.equal(guesses.wait(), 57)
  now += 56_999
  assert.equal(guesses.wait(), 1)
  now += 1
  assert.equal(guesses.wait(), 0)
  for (let guess = 0; guess < 3; guess++) {
    assert.equal(guesses.wait(), 0, 'the count begins anew')
    guesses.wrong()
  }
  assert.equal(guesses.wait(), 60)
})

test('a login leads to a page of ours, whatever it was asked for', () => {
  const tricky = fc.string({ unit: fc.constantFrom('/', '/', '.', '\\', '\t', '\r', '@', 'x'), maxLength: 6 }).map((rest) => `/${rest}`)
  fc.assert(
    fc.property(fc.oneof(tricky, fc.string(), fc.webUrl()), (path) => {
      const to = ownPath(path)
      assert.ok(to.startsWith('/'))
      assert.equal(new URL(to, 'http://127.0.0.1:1').origin, 'http://127.0.0.1:1')
    }),
    { numRuns: 2000 },
  )
  assert.equal(ownPath('/dead?task=T1'), '/dead?task=T1')
})

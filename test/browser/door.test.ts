// Pieces of the way in to the operator's page: how slow guessing is, and where a login may lead.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countGuesses } from '../../apps/ops/page/door/guesses.ts'
import { ownPath } from '../../apps/ops/page/door/origin.ts'

test('the more wrong tokens come from an address, the longer its answers are put off, up to a second; not for ever, and not those of others', () => {
  let now = 1_000_000
  const guesses = countGuesses({ now: () => now })
  const delays = Array.from({ length: 12 }, () => {
    const delay = guesses.delayMs('192.0.2.1')
    guesses.wrong('192.0.2.1')
    return delay
  })
  assert.deepEqual(delays, [0, 0, 0, 0, 0, 100, 200, 400, 800, 1000, 1000, 1000])
  assert.equal(guesses.delayMs('::ffff:192.0.2.1'), 1000, 'it is the same address')
  assert.equal(guesses.delayMs('192.0.2.2'), 0)
  now += 599_999
  assert.equal(guesses.delayMs('192.0.2.1'), 1000)
  now += 1
  assert.equal(guesses.delayMs('192.0.2.1'), 0)
  assert.equal(guesses.wrong('192.0.2.1'), 1, 'the count begins anew')
})

test('all addresses of one IPv6 network are one, and no more are remembered than so many', () => {
  const guesses = countGuesses({ most: 3 })
  for (let guess = 1; guess <= 10; guess++) guesses.wrong(`2001:db8:0:7::${guess}`)
  assert.equal(guesses.delayMs('2001:db8:0:7:ffff::1'), 1000)
  assert.equal(guesses.delayMs('2001:db8:0:8::1'), 0)
  assert.equal(guesses.delayMs('2001:db8::7:0:0:1'), 0)
  for (const other of ['192.0.2.1', '192.0.2.2']) guesses.wrong(other)
  assert.equal(guesses.delayMs('2001:db8:0:7::1'), 1000, 'there is room for three')
  guesses.wrong('192.0.2.3')
  assert.equal(guesses.delayMs('2001:db8:0:7::1'), 0, 'the one that guessed longest ago is forgotten')
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

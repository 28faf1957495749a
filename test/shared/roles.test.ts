// What names of fields mean is remembered, but never more than so many of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rememberedNames, rolesOf } from '#shared/event/privacy/roles.ts'

test('names mean the same however many there are, and however long, and only some of them are kept', () => {
  for (let number = 0; number < 5000; number++) {
    assert.deepEqual(rolesOf(`x${number}_email`), new Set(['email']))
    assert.equal(rolesOf(`x${number}`), undefined)
  }
  assert.equal(rememberedNames(), 2000)
  assert.deepEqual(rolesOf(`${'x'.repeat(1_000_000)}_token`), new Set(['secret']))
  assert.deepEqual(rolesOf('__proto__'), undefined)
  assert.deepEqual(rolesOf('constructor'), undefined)
})

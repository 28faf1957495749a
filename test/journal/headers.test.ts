import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headersText, readHeaders } from '#shared/journal/headers.ts'

const someHeaders = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 30 }).filter((name) => name !== '__proto__'),
  fc.string({ maxLength: 200 }),
  { maxKeys: 20 },
)

test('headers come back as they went into the journal', () => {
  fc.assert(fc.property(someHeaders, (headers) => assert.deepEqual(readHeaders(headersText(headers)), { ...headers })))
})

test('of headers that are too long together the longest are left out, and the others come back', () => {
  const headers = { short: 'one', long: '"'.repeat(9000), other: 'two' }
  const text = headersText(headers)
  assert.ok(text.length <= 16_000)
  assert.deepEqual(readHeaders(text), { short: 'one', other: 'two' })
})

test('of headers that were cut somewhere those come back that are whole', () => {
  fc.assert(
    fc.property(someHeaders, fc.nat(), (headers, at) => {
      const text = JSON.stringify(headers)
      const found = Object.entries(readHeaders(text.slice(0, at % (text.length + 1))))
      for (const [name, value] of found) assert.equal(headers[name], value)
      assert.ok(at % (text.length + 1) < text.length || found.length === Object.keys(headers).length)
    }),
  )
})

// The reader of docker-compose.yml knows a part of YAML about which all readers agree,
// and refuses the rest rather than guess.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readYaml } from './yaml.ts'

test('mappings, lists, JSON values, plain words, numbers and nothing are read', () => {
  const text = '# a comment\na:\n  b: "c: d"\n  e: ["f", "g"]\n  h:\n    - i:j\n    - k\n  l:\nm: redis://n:1\n\no: 5\n'
  const expected = { a: { b: 'c: d', e: ['f', 'g'], h: ['i:j', 'k'], l: null }, m: 'redis://n:1', o: 5 }
  assert.deepEqual(readYaml(text), expected)
})

test('what readers of YAML disagree about, or this one does not know, is refused', () => {
  const doubtful = [
    'a: yes',
    'a: &b c',
    'a: |',
    'a: {b: c}',
    "a: 'b'",
    'a: b # c',
    'a: b: c',
    'a: 1\na: 2',
    'a:\n\t- b',
    'a: 1\n b: 2',
    'a',
  ]
  for (const text of doubtful) assert.throws(() => readYaml(text), SyntaxError, text)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fnmatch } from '#shared/event/fnmatch.ts'
import { effortOf } from '../support/effort.ts'

// name, pattern, what fnmatch.fnmatchcase of Python 3.11 says
const answersOfPython: Array<[string, string, boolean]> = [
  ['repos/releng/scap', 'repos/releng/scap', true],
  ['repos/releng/scap', 'repos/releng', false],
  ['repos/releng/scap', 'releng/scap', false],
  ['repos/releng/scap', 'Repos/releng/scap', false],
  ['repos/releng/scap', '*', true],
  ['', '*', true],
  ['', '', true],
  ['a', '', false],
  ['repos/cloud/toolforge/jobs/api', 'repos/cloud/*', true],
  ['repos/cloud', 'repos/cloud/*', false],
  ['a/b/c/d', 'a/**/d', true],
  ['a.b', 'a?b', true],
  ['a/b', 'a?b', true],
  ['ab', 'a?b', false],
  ['🎉', '?', true],
  ['b', '[abc]', true],
  ['b', '[!abc]', false],
  ['b', '[^abc]', true],
  ['^', '[^abc]', true],
  [']', '[]]', true],
  [']', '[!]]', false],
  ['-', '[a-]', true],
  ['-', '[-a]', true],
  ['b', '[a-c]', true],
  ['é', '[à-ü]', true],
  ['b', '[c-a]', false],
  ['b', '[!c-a]', true],
  ['b', '[c-ab]', true],
  ['!', '[z-a!b]', true],
  ['b', '[z-a!b]', false],
  ['-', '[z-a!-c]', false],
  ['b', '[z-a!-c]', true],
  ['\\', '[\\]', true],
  ['/', '[!--a]', false],
  ['a[b', 'a[b', true],
  ['a[]b', 'a[]b', true],
  ['repos/[unclosed', 'repos/[unclosed', true],
  ['x', '[', false],
  ['[!]', '[!]', true],
  ['a\nb', 'a*b', true],
  ['a.c', 'a.c', true],
  ['abc', 'a.c', false],
  ['aXbXc', '*X?X*', true],
]

test('a pattern matches exactly what Python says it matches', () => {
  for (const [name, pattern, expected] of answersOfPython) assert.equal(fnmatch(name, pattern), expected, `${name} against ${pattern}`)
})

test('any pattern agrees with the regular expression Python would make of it', () => {
  const piece = fc.constantFrom('a', 'b', '/', '*', '?', '[', '[', ']', '!', '-', '^', '\\', '.')
  const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
  const bracketed = pattern.map((inside) => `a[${inside}]*`)
  const name = fc.array(fc.constantFrom('a', 'b', '/', '[', ']', '!', '-', '^', '\\'), { maxLength: 5 }).map((pieces) => pieces.join(''))
  const check = fc.property(name, fc.oneof(pattern, bracketed), (text, glob) => {
    assert.equal(fnmatch(text, glob), translated(glob).test(text), `${text} against ${glob}`)
  })
  fc.assert(check, { numRuns: 3000 })
})

test('what is written out of the name with stars and question marks matches it', () => {
  const part = fc.tuple(fc.constantFrom('same', 'star', 'any'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))
  const check = fc.property(fc.array(part), (parts) => {
    const name = parts.map(([, character]) => character).join('')
    const glob = parts.map(([kind, character]) => (kind === 'same' && !'*?['.includes(character) ? character : kind === 'any' ? '?' : '*'))
    assert.equal(fnmatch(name, glob.join('')), true)
  })
  fc.assert(check)
})

test('names and patterns that repeat themselves agree with it too', () => {
  const piece = fc.constantFrom('a', 'a', 'a', 'b', '?', '[ab]', '[!b]', '*')
  const pattern = fc.array(piece, { minLength: 20, maxLength: 120 }).map((pieces) => `*${pieces.join('')}`)
  const name = fc.array(fc.constantFrom('a', 'a', 'a', 'a', 'a', 'b'), { minLength: 30, maxLength: 200 }).map((pieces) => pieces.join(''))
  const exactly = ({ parts, tail }: { parts: string[]; tail: string }) => ({
    glob: `*${parts.join('*')}${tail}`,
    text: `aab${parts.join('ab')}`,
  })
  const part = fc.array(fc.constantFrom('a', 'a', 'b'), { minLength: 10, maxLength: 40 }).map((pieces) => pieces.join(''))
  const fitting = fc.record({ parts: fc.array(part, { minLength: 1, maxLength: 4 }), tail: fc.constantFrom('', '*', 'b') }).map(exactly)
  const free = fc.record({ glob: pattern, text: name })
  const check = fc.property(fc.oneof(free, fitting), ({ glob, text }) => {
    assert.equal(fnmatch(text, glob), quickly(glob, text), `${text} against ${glob}`)
  })
  fc.assert(check, { numRuns: 2000 })
})

test('a pattern of many stars takes no time to fail', () => {
  const ms = effortOf(() => {
    assert.equal(fnmatch('a'.repeat(2000), `${'*a'.repeat(200)}*b`), false)
    assert.equal(fnmatch('a'.repeat(2000), '['.repeat(100_000)), false)
  })
  assert.ok(ms < 1000, `it took ${ms} ms`)
})

// fnmatch.translate of Python 3.11 without its protection against backtracking.
function translated(pattern: string): RegExp {
  let source = ''
  let at = 0
  while (at < pattern.length) {
    const character = pattern.charAt(at++)
    if (character === '*') source += '.*'
    else if (character === '?') source += '.'
    else if (character !== '[') source += quoted(character)
    else {
      let end = at
      if (pattern[end] === '!') end++
      if (pattern[end] === ']') end++
      while (end < pattern.length && pattern[end] !== ']') end++
      if (end >= pattern.length) source += '\\['
      else {
        source += translatedClass(pattern.slice(at, end))
        at = end + 1
      }
    }
  }
  return new RegExp(`^(?:${source})$`, 's')
}

function translatedClass(inside: string): string {
  const chunks: string[] = []
  let rest = inside
  let skip = inside.startsWith('!') ? 2 : 1
  for (let hyphen = rest.indexOf('-', skip); hyphen >= 0; hyphen = rest.indexOf('-', skip)) {
    chunks.push(rest.slice(0, hyphen))
    rest = rest.slice(hyphen + 1)
    skip = 2
  }
  if (rest) chunks.push(rest)
  else chunks.push(`${chunks.pop() ?? ''}-`)
  for (let index = chunks.length - 1; index > 0; index--) {
    const [left, right] = [chunks[index - 1] ?? '', chunks[index] ?? '']
    if (left.slice(-1) > right.charAt(0)) chunks.splice(index - 1, 2, left.slice(0, -1) + right.slice(1))
  }
  const joined = chunks.map((chunk) => Array.from(chunk, quoted).join('')).join('-')
  if (joined === '') return '(?!)'
  if (joined === '\\!') return '.'
  return joined.startsWith('\\!') ? `[^${joined.slice(2).replace(/^-/, '\\-')}]` : `[${joined}]`
}

function quoted(character: string): string {
  return /\w/.test(character) ? character : `\\${character}`
}

// All beginnings of the name that the pattern can have matched so far, one part after another: no backtracking.
function quickly(pattern: string, name: string): boolean {
  let ends = new Set([0])
  for (const part of pattern.match(/\[[^\]]*\]|./g) ?? []) {
    const one = part === '*' ? undefined : translated(part)
    const from = Math.min(...ends)
    ends = new Set(
      one === undefined
        ? Array.from({ length: Math.max(0, name.length - from + 1) }, (_, index) => from + index)
        : [...ends].filter((end) => end < name.length && one.test(name.charAt(end))).map((end) => end + 1),
    )
  }
  return ends.has(name.length)
}

// Python's fnmatch.fnmatchcase, which the reviewers page promises for its headings: the whole name must match, `*` goes
// over slashes too. Patterns are written by anybody, so no RegExp is made of them. First two pointers try, which only ever
// return to the last star: that is quick but where name and pattern repeat themselves. There all places that the pattern
// can have reached are followed at once, a bit for each.
import { accepts, anyMany, type Pattern, readPattern } from './fnmatch-pattern.ts'

/** Whether the whole `name` matches the shell pattern, case counting. Any string is a pattern; nothing is thrown. */
export function fnmatch(name: string, pattern: string): boolean {
  return fnmatcher(pattern)(name)
}

/** The same for a pattern that many names are held against: it is read once, and takes four to eight bytes a character. */
export function fnmatcher(text: string): (name: string) => boolean {
  const pattern = readPattern(text)
  return (given) => {
    const name = readName(given)
    return byReturning(name, pattern) ?? atOnce(name, pattern)
  }
}

/** A name as the `letters` that it has, and which of them it is made of, one after another. */
type Name = { text: string; letters: number[]; places: Map<number, number>; order: Uint32Array }

// A name is mostly held against several patterns, one after another.
let last: Name = { text: '', letters: [], places: new Map(), order: new Uint32Array() }

function readName(text: string): Name {
  if (text === last.text) return last
  const places = new Map<number, number>()
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? -1)
  const order = codes.map((code) => {
    const place = places.get(code) ?? places.size
    places.set(code, place)
    return place
  })
  last = { text, letters: [...places.keys()], places, order: Uint32Array.from(order) }
  return last
}

// Undefined when it would take more than a few steps for each character.
function byReturning({ order, letters }: Name, pattern: Pattern): boolean | undefined {
  const { codes } = pattern
  const { length } = order
  const mostSteps = 2 * (length + codes.length)
  let at = 0
  let expected = 0
  let star = -1
  let starEnd = 0
  for (let steps = 0; at < length; steps++) {
    if (steps > mostSteps) return undefined
    if (codes[expected] === anyMany) {
      star = expected++
      starEnd = at
    } else if (expected < codes.length && accepts(pattern, expected, letters[order[at] ?? 0] ?? -1)) {
      expected++
      at++
    } else if (star >= 0) {
      expected = star + 1
      at = ++starEnd
    } else return false
  }
  return codes.subarray(expected).every((code) => code === anyMany)
}

// The Shift-And algorithm: place i is reached when the first i parts, not counting stars, are matched. A word has 32 places.
function atOnce({ order, letters, places }: Name, pattern: Pattern): boolean {
  const { codes } = pattern
  const words = (codes.length >>> 5) + 1
  const staying = new Uint32Array(words)
  const advancing = new Uint32Array(words * letters.length)
  let parts = 0
  for (const [at, code] of codes.entries()) {
    if (code === anyMany) set(staying, 0, parts)
    else {
      const letter = places.get(code)
      if (letter !== undefined) set(advancing, letter * words, parts)
      else if (code < 0) for (const [index, one] of letters.entries()) if (accepts(pattern, at, one)) set(advancing, index * words, parts)
      parts++
    }
  }
  const reached = new Uint32Array(words)
  set(reached, 0, 0)
  for (const letter of order) {
    let carry = 0
    for (let word = 0, mask = letter * words; word < words; word++, mask++) {
      const before = reached[word] ?? 0
      const moved = before & (advancing[mask] ?? 0)
      reached[word] = (moved << 1) | carry | (before & (staying[word] ?? 0))
      carry = moved >>> 31
    }
  }
  return ((reached[parts >>> 5] ?? 0) & (1 << (parts & 31))) !== 0
}

function set(bits: Uint32Array, start: number, at: number): void {
  const word = start + (at >>> 5)
  bits[word] = (bits[word] ?? 0) | (1 << (at & 31))
}

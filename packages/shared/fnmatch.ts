// Python's fnmatch.fnmatchcase, which the reviewers page promises for its headings: the whole name must match, `*` goes
// over slashes too. Headings are written by anybody, so no RegExp is made of them: the pattern is matched with two
// pointers that only ever return to the last star. The odd rules of `[...]` are those of Python 3.11, step by step.

type CharacterClass = { negated: boolean; ranges: Array<[low: number, high: number]> }
type Token = '*' | '?' | { literal: number } | CharacterClass

/** Whether the whole `name` matches the shell pattern, case counting. Any string is a pattern; nothing is thrown. */
export function fnmatch(name: string, pattern: string): boolean {
  return fnmatcher(pattern)(name)
}

/** The same for a pattern that many names are held against: it is read once. */
export function fnmatcher(pattern: string): (name: string) => boolean {
  const tokens = tokenize(Array.from(pattern))
  return (name) => matches(Array.from(name, codeOf), tokens)
}

function matches(characters: number[], tokens: Token[]): boolean {
  let at = 0
  let expected = 0
  let star = -1
  let starEnd = 0
  for (let character = characters[at]; character !== undefined; character = characters[at]) {
    const token = tokens[expected]
    if (token === '*') {
      star = expected++
      starEnd = at
    } else if (token !== undefined && accepts(token, character)) {
      expected++
      at++
    } else if (star >= 0) {
      expected = star + 1
      at = ++starEnd
    } else return false
  }
  return tokens.slice(expected).every((token) => token === '*')
}

function tokenize(pattern: string[]): Token[] {
  const tokens: Token[] = []
  const lastBracket = pattern.lastIndexOf(']')
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    const end = character === '[' && at < lastBracket ? endOfClass(pattern, at + 1) : -1
    if (end >= 0) {
      tokens.push(readClass(pattern.slice(at + 1, end)))
      at = end
    } else if (character !== '*' && character !== '?') tokens.push({ literal: codeOf(character) })
    else if (character === '?' || tokens.at(-1) !== '*') tokens.push(character)
  }
  return tokens
}

function endOfClass(pattern: string[], start: number): number {
  const first = pattern[start] === '!' ? start + 1 : start
  return pattern.indexOf(']', pattern[first] === ']' ? first + 1 : first)
}

const range = Symbol('range')
type Mark = string | typeof range

function readClass(content: string[]): CharacterClass {
  const marks = splitAtRanges(content).flatMap<Mark>((chunk, index) => (index === 0 ? chunk : [range, ...chunk]))
  const negated = marks[0] === '!'
  if (negated) marks.shift()
  const ranges: CharacterClass['ranges'] = []
  for (let at = 0; at < marks.length; at++) {
    const low = codeOf(marks[at])
    const high = marks[at + 1] === range ? marks[at + 2] : undefined
    ranges.push([low, high === undefined ? low : codeOf(high)])
    if (high !== undefined) at += 2
  }
  return { negated, ranges }
}

// The pieces between hyphens that make a range; a range that runs backwards is taken out with both its ends.
function splitAtRanges(content: string[]): string[][] {
  const chunks: string[][] = []
  let start = 0
  let hyphen = content.indexOf('-', content[0] === '!' ? 2 : 1)
  while (hyphen >= 0) {
    chunks.push(content.slice(start, hyphen))
    start = hyphen + 1
    hyphen = content.indexOf('-', hyphen + 3)
  }
  if (start < content.length) chunks.push(content.slice(start))
  else chunks.at(-1)?.push('-')
  for (let at = chunks.length - 1; at > 0; at--) {
    const before = chunks[at - 1] ?? []
    const after = chunks[at] ?? []
    if (codeOf(before.at(-1)) > codeOf(after[0])) chunks.splice(at - 1, 2, [...before.slice(0, -1), ...after.slice(1)])
  }
  return chunks
}

function accepts(token: Token, character: number): boolean {
  if (typeof token === 'string') return true
  if ('literal' in token) return token.literal === character
  return token.negated !== token.ranges.some(([low, high]) => low <= character && character <= high)
}

function codeOf(character: Mark | undefined): number {
  return (character === range ? '-' : character)?.codePointAt(0) ?? -1
}

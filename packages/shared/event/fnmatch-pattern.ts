// A shell pattern as Python's fnmatch reads it, in as little memory as it takes: filters of strangers are kept by the thousand.
// The odd rules of `[...]` are those of Python 3.11, step by step.

/**
 * `codes` has for each part of a pattern its code point, `anyOne`, `anyMany`, or below them where in `classes` its class begins:
 * with 1 if it is negated, the number of its ranges, and their ends, low and high.
 */
export type Pattern = { codes: Int32Array; classes: Int32Array }

export const anyOne = -1
export const anyMany = -2
const firstClass = -3

/** Reads a pattern. Any string is one; nothing is thrown. */
export function readPattern(text: string): Pattern {
  const pattern = Array.from(text)
  const codes: number[] = []
  const classes: number[] = []
  const lastBracket = pattern.lastIndexOf(']')
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    const end = character === '[' && at < lastBracket ? endOfClass(pattern, at + 1) : -1
    if (end >= 0) {
      codes.push(firstClass - classes.length)
      classes.push(...readClass(pattern.slice(at + 1, end)))
      at = end
    } else if (character === '?') codes.push(anyOne)
    else if (character !== '*') codes.push(codeOf(character))
    else if (codes.at(-1) !== anyMany) codes.push(anyMany)
  }
  return { codes: Int32Array.from(codes), classes: Int32Array.from(classes) }
}

/** Whether the place `at` of a pattern, which is no star, accepts a code point. */
export function accepts({ codes, classes }: Pattern, at: number, character: number): boolean {
  const code = codes[at] ?? character
  if (code === character || code === anyOne) return true
  return code <= firstClass && isInClass(classes, firstClass - code, character)
}

function isInClass(classes: Int32Array, start: number, character: number): boolean {
  const isNegated = classes[start] === 1
  const first = start + 2
  const end = first + 2 * (classes[start + 1] ?? 0)
  for (let at = first; at < end; at += 2) if ((classes[at] ?? 0) <= character && character <= (classes[at + 1] ?? 0)) return !isNegated
  return isNegated
}

function endOfClass(pattern: string[], start: number): number {
  const first = pattern[start] === '!' ? start + 1 : start
  return pattern.indexOf(']', pattern[first] === ']' ? first + 1 : first)
}

const range = Symbol('range')
type Mark = string | typeof range

function readClass(content: string[]): number[] {
  const marks = splitAtRanges(content).flatMap<Mark>((chunk, index) => (index === 0 ? chunk : [range, ...chunk]))
  const negated = marks[0] === '!'
  if (negated) marks.shift()
  const ranges: number[] = []
  for (let at = 0; at < marks.length; at++) {
    const low = codeOf(marks[at])
    const high = marks[at + 1] === range ? marks[at + 2] : undefined
    ranges.push(low, high === undefined ? low : codeOf(high))
    if (high !== undefined) at += 2
  }
  return [negated ? 1 : 0, ranges.length / 2, ...ranges]
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

function codeOf(character: Mark | undefined): number {
  return (character === range ? '-' : character)?.codePointAt(0) ?? -1
}

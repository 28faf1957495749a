// The reviewers page writes its expressions for Python. Here one is taken to pieces, once, to be spelt for RE2 and for
// JavaScript, to learn whether it needs an engine that backtracks, and to see how big a machine it would make, because
// engines build `(?:.{900}){900}` before they refuse it. What Python would not take is not handed to anybody.

/** The same expression in two spellings; `backtracks`: RE2 cannot have it (look-around, back-references); `weight`: rough size. */
export type Translation = { re2: string; javascript: string; backtracks: boolean; weight: number }

const globalFlags = /^\(\?[aimsu]+\)/
const pieces = new RegExp(
  [
    /\\(?:x[\dA-Fa-f]{2}|[1-9]\d?|.)/s, // an escape
    /\[\^?\]?(?:\\.|[^\]\\])*\]/s, // a class
    /\(\?(?:P<|P=\w+\)|:|<?[=!]|[a-z-]+:)|\((?!\?)/, // what opens a group
    /\{(?:\d+(?:,\d*)?|,\d*)\}/, // a counted repeat
    /./s,
  ]
    .map((piece) => piece.source)
    .join('|'),
  'gsu',
)
const unknownEscape = /^\\(?![AbBdDsSwWZfnrtv]|x[\dA-Fa-f]{2})[A-Za-z]/

/** Translates an expression; or says, as the end of a sentence, why nobody can. Never throws. */
export function translate(expression: string): Translation | { reason: string } {
  const parts = expression.replace(globalFlags, '').match(pieces) ?? []
  let groups = 0
  for (const [index, part] of parts.entries()) {
    if (part === '(' || part === '(?P<') groups++
    if (part === '(' && parts[index + 1] === '?') return { reason: `"(?${parts[index + 2] ?? ''}" is not supported` }
    const foreign = escapesIn(part).find((letter) => unknownEscape.test(letter))
    if (foreign) return { reason: `"${foreign}" is not supported` }
    if (Number(/^\\([1-9]\d?)$/.exec(part)?.[1] ?? 0) > groups) return { reason: `"${part}" refers to no group` }
    if (part.startsWith('(?P=') && !expression.includes(`(?P<${part.slice(4, -1)}>`)) return { reason: `"${part}" refers to no group` }
  }
  return {
    re2: parts.map((part) => (part === '\\Z' ? '\\z' : common(part))).join(''),
    javascript: parts.map(inJavaScript).join(''),
    backtracks: parts.some((part) => /^(?:\\[1-9]|\(\?(?:P=|<?[=!]))/.test(part)),
    weight: weigh(parts),
  }
}

function escapesIn(part: string): string[] {
  return part.startsWith('[') ? (part.match(/\\(?:x[\dA-Fa-f]{2}|.)/gsu) ?? []) : [part]
}

// Right after its opening a bracket is a letter; that leaves `[]` unclosed, as in Python.
function common(part: string): string {
  if (/^\[\^?\]/.test(part)) return part.replace(']', '\\]')
  return part.startsWith('{,') ? `{0${part.slice(1)}` : part
}

function inJavaScript(part: string): string {
  if (part === '\\Z') return '$'
  if (part === '\\A') return '^'
  if (part === '(?P<') return '(?<'
  if (part.startsWith('(?P=')) return `\\k<${part.slice(4, -1)}>`
  return common(part)
}

function weigh(parts: string[]): number {
  const around: number[] = []
  let sum = 0
  let last = 0
  for (const part of parts) {
    if (part.startsWith('(') && !part.startsWith('(?P=')) {
      around.push(sum)
      sum = 0
      last = 0
    } else if (part === ')') {
      last = sum + 2
      sum = last + (around.pop() ?? 0)
    } else if (/^\{[\d,]/.test(part)) {
      const times = Math.min(1e6, Math.max(1, ...(part.match(/\d+/g) ?? []).map(Number)))
      sum += last * (times - 1)
    } else {
      last = part.startsWith('[') ? weightOfClass(part) : 1
      sum += last
    }
  }
  return sum
}

// Ignoring case, RE2 walks through every letter of a range that leaves ASCII: milliseconds each.
function weightOfClass(part: string): number {
  return Math.ceil(part.length / 20) + 100 * (part.match(/-\P{ASCII}/gu)?.length ?? 0)
}

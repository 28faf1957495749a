// A `file_regexp` of the page, made ready to be looked for in changed paths: Python's `re.search`, ignoring case, the dot
// matching newlines. RE2 does it in linear time; what it cannot have goes to `backtrack.ts`. Whatever is invalid, too
// big or too slow matches nobody and says so: the old reader let such an entry match everything.
import { RE2JS } from 're2js'
import { backtrack } from './backtrack.ts'
import type { Budget, Purse } from './budget.ts'
import { translate } from './python-regexp.ts'

/** The paths an expression is found in and the work it took, or, as the end of a sentence, why that is not known. */
export type Search = { found: Set<string>; ms: number } | { reason: string }

/** Looks for the expression in each of the paths, as long as the budget allows. Never throws. */
export type FilePattern = (paths: readonly string[], budget: Budget) => Promise<Search>

const maxLength = 1000
const maxWeight = 500
const maxPathLength = 1000

/**
 * Compiles an expression; never throws. Unlike in Python `\d`, `\w` and `\b` know only ASCII letters, `$` does not match
 * before a final newline, and `(?x)`, comments, atomic groups and possessive repeats are refused. Paths of more than
 * 1,000 characters are never found.
 */
export function compileFilePattern(expression: string): FilePattern {
  if (expression.length > maxLength) return refuse(`it is longer than ${maxLength} characters`)
  const translation = translate(expression)
  if ('reason' in translation) return refuse(translation.reason)
  if (translation.weight > maxWeight) return refuse('its repeats make it too big')
  try {
    if (!translation.backtracks) return searchLinearly(RE2JS.compile(translation.re2, RE2JS.CASE_INSENSITIVE | RE2JS.DOTALL))
    new RegExp(translation.javascript, 'is')
    return searchBacktracking(translation.javascript)
  } catch (error) {
    return refuse(messageOf(error))
  }
}

function refuse(reason: string): FilePattern {
  return async () => ({ reason: `its file_regexp is not valid (${reason})` })
}

function searchLinearly(expression: RE2JS): FilePattern {
  return async function searchInLinearTime(paths, budget) {
    const purse = budget.linear
    const found = new Set<string>()
    let ms = 0
    for (const path of paths) {
      if (ms >= timeLeft(purse)) return outOfTime(purse, ms)
      const began = performance.now()
      if (path.length <= maxPathLength && expression.test(path)) found.add(path)
      ms += performance.now() - began
      if (budget.isDue()) await budget.breathe()
    }
    purse.leftMs -= ms
    return { found, ms }
  }
}

function searchBacktracking(source: string): FilePattern {
  return async function searchWithTimeout(paths, budget) {
    const purse = budget.backtracking
    const timeout = timeLeft(purse)
    if (timeout <= 0) return outOfTime(purse, 0)
    if (budget.isDue()) await budget.breathe()
    const began = performance.now()
    try {
      const short = paths.filter((path) => path.length <= maxPathLength)
      const found = backtrack(source, short, timeout)
      const ms = performance.now() - began
      purse.leftMs -= ms
      return { found, ms }
    } catch {
      return outOfTime(purse, performance.now() - began)
    }
  }
}

function timeLeft(purse: Purse): number {
  return Math.min(purse.eachMs, purse.leftMs)
}

function outOfTime(purse: Purse, ms: number): Search {
  const reason = purse.leftMs < purse.eachMs ? 'the expressions before it used up the time there is' : 'its file_regexp takes too long'
  purse.leftMs -= ms
  return { reason }
}

// RE2's messages repeat the expression with the flags we put before it.
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace('error parsing regexp: ', '').replace('(?s)(?i)', '').slice(0, 200)
}

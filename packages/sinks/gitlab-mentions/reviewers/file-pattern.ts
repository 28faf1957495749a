// A `file_regexp` of the page, made ready to be looked for in changed paths: Python's `re.search`, ignoring case, the dot
// matching newlines. RE2 does it in linear time; what it cannot have goes to `backtrack.ts`. Whatever is invalid, too
// big or too slow matches nobody and says so: the old reader let such an entry match everything.
import { RE2JS } from 're2js'
import { backtrack } from './backtrack.ts'
import { type Budget, type Purse, workedMs } from './budget.ts'
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
    const work = countWork()
    for (const path of paths) {
      if (work.isOver(timeLeft(purse))) return outOfTime(purse, work.doneMs())
      if (path.length <= maxPathLength && expression.test(path)) found.add(path)
      if (!budget.isDue()) continue
      work.doneMs()
      await budget.breathe()
      work.goOn()
    }
    const ms = work.doneMs()
    purse.leftMs -= ms
    return { found, ms }
  }
}

function searchBacktracking(source: string): FilePattern {
  return async function searchWithTimeout(paths, budget) {
    const purse = budget.backtracking
    const left = timeLeft(purse)
    if (left <= 0) return outOfTime(purse, 0)
    if (budget.isDue()) await budget.breathe()
    const short = paths.filter((path) => path.length <= maxPathLength)
    const work = countWork()
    // It is cut off by the clock. When much of that time was not its own it is tried again.
    for (let timeoutMs = left; ; timeoutMs = 2 * left) {
      try {
        const found = backtrack(source, short, timeoutMs)
        const ms = work.doneMs()
        purse.leftMs -= ms
        return { found, ms }
      } catch (error) {
        if (!wasCutOff(error) || work.doneMs() >= 0.8 * left) return outOfTime(purse, work.doneMs())
      }
    }
  }
}

function wasCutOff(error: unknown): boolean {
  // It comes from a context of its own, with another Error.
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

// Counts what work is done from now on. The clock is never behind it, and quick to ask: so it is asked first.
function countWork() {
  let doneMs = 0
  let [worked, clock] = [workedMs(), performance.now()]
  function goOn(): void {
    worked = workedMs()
    clock = performance.now()
  }
  function count(): number {
    doneMs += workedMs() - worked
    goOn()
    return doneMs
  }
  return {
    doneMs: count,
    isOver: (mostMs: number) => doneMs + performance.now() - clock >= mostMs && count() >= mostMs,
    /** What was done since then was the work of others. */
    goOn,
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

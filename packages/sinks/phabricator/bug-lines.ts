// `Bug: T12345` lines, as people really write them in descriptions and commit messages: which tasks do they name?
// Not the ones inside HTML comments, code or quotations, and not a T1 in running text.
import { oneLine } from './one-line.ts'
import { proseLines } from './prose.ts'

const openers = /^ {0,3}[Bb]ug:[ \t]*(.*)$/s
const mostDigits = 9

/** For how many tasks one text, or one merge request, is read. */
export const mostTasks = 1000

/** The numbers of the first `mostTasks` tasks that `text` names in `Bug:` lines, each once, in order. `phabricatorUrl` is for task URLs. */
export function tasksIn(text: string, phabricatorUrl: string): number[] {
  const found = new Set<number>()
  for (const line of proseLines(text)) for (const task of tasksOn(line, phabricatorUrl)) if (found.size < mostTasks) found.add(task)
  return [...found]
}

const alike = /^[\W\d]{0,12}bugs?\W{1,12}(?:T?\d|https?:)/i
const longestQuoted = 80

/** In words why the first line of `text` that looks like a `Bug:` line is none; undefined when no line does. */
export function nearMiss(text: string, phabricatorUrl: string): string | undefined {
  const prose = proseLines(text)
  const miss = prose.find((line) => alike.test(line) && tasksOn(line, phabricatorUrl).length === 0)
  if (miss !== undefined) return `“${quoted(miss)}” is none, it takes a line with nothing on it but \`Bug: T123\``
  if (prose.some((line) => tasksOn(line, phabricatorUrl).length > 0)) return undefined
  const hidden = text.split(/[\r\n]/).find((line) => alike.test(line))
  return hidden === undefined ? undefined : `“${quoted(hidden)}” is in code, a quotation or a comment`
}

function quoted(line: string): string {
  const characters = Array.from(oneLine(line))
  return characters.length > longestQuoted ? `${characters.slice(0, longestQuoted - 1).join('')}…` : characters.join('')
}

function tasksOn(line: string, phabricatorUrl: string): number[] {
  const rest = openers.exec(line)?.[1]
  return rest === undefined ? [] : tasksOf(rest, phabricatorUrl)
}

// A line counts only when there is nothing but tasks in it. Blanks and a backslash at its end are Markdown line breaks.
function tasksOf(rest: string, phabricatorUrl: string): number[] {
  const words = rest
    .trimEnd()
    .replace(/\\$/, '')
    .split(/[\s,]+/)
    .filter((word) => word !== '')
  const ids = words.map((word) => /^T(\d+)$/.exec(withoutUrl(word, phabricatorUrl))?.[1])
  if (ids.includes(undefined)) return []
  return ids.flatMap((id) => taskNumber(id ?? ''))
}

function withoutUrl(word: string, phabricatorUrl: string): string {
  if (!word.startsWith(`${phabricatorUrl}/`)) return word
  return word.slice(phabricatorUrl.length + 1).replace(/#\d*$/, '')
}

function taskNumber(digits: string): number[] {
  const number = Number(digits)
  return digits.replace(/^0+/, '').length <= mostDigits && number > 0 ? [number] : []
}

// `Bug: T12345` lines, as people really write them in descriptions and commit messages: which tasks do they name?
// Not the ones inside HTML comments, code or quotations, and not a T1 in running text.
import { proseLines } from './prose.ts'

const openers = /^ {0,3}[Bb]ug:[ \t]*(.*)$/s
const mostDigits = 9

/** The numbers of the tasks that `text` names in `Bug:` lines, each once, in order. `phabricatorUrl` is for task URLs. */
export function tasksIn(text: string, phabricatorUrl: string): number[] {
  const found = new Set<number>()
  for (const line of proseLines(text)) {
    const rest = openers.exec(line)?.[1]
    if (rest !== undefined) for (const task of tasksOf(rest, phabricatorUrl)) found.add(task)
  }
  return [...found]
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

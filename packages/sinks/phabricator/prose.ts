// The prose of a Markdown text: its lines without HTML comments, fenced code, code spans and quotations, as GitLab
// would show them. Read in one pass, in time linear in the text: anybody can write it.

const fence = /^(?: {0,3}|[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)+)(`{3,}|~{3,})(.*)$/s
const closingFence = /^[ \t]*(`{3,}|~{3,})[ \t]*$/
const listItem = /^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]/
const quotation = /^ {0,3}>/
const longQuotation = /^ {0,3}(>{3,})\s*$/
const comment = /^ {0,3}<!--/
const verbatim = /^ {0,3}<(?:pre|script|style|textarea)(?=[\s>]|$)/i
const verbatimEnd = /<\/(?:pre|script|style|textarea)>/i

/** The lines of `text` that are prose, in order. What is hidden inside such a line is left out of it. */
export function proseLines(text: string): string[] {
  const lines = text.replaceAll(/\r\n?/g, '\n').split('\n')
  const prose: string[] = []
  let at = 0
  while (at < lines.length) {
    const next = pastHidden(lines, at)
    if (next !== undefined) {
      at = next
      continue
    }
    const end = paragraphEnd(lines, at)
    for (const line of withoutSpans(lines.slice(at, end).join('\n')).split('\n')) prose.push(line)
    at = end
  }
  return prose
}

// Where what begins at `at` and is no prose has ended; undefined when that line is prose. What is never closed goes on
// to the end of the text.
function pastHidden(lines: string[], at: number): number | undefined {
  const line = lines[at] ?? ''
  if (line.trim() === '') return at + 1
  const marks = fenceOf(line)
  if (marks !== undefined) return pastCode(lines, at + 1, marks, listItem.test(line))
  const [, quoting] = longQuotation.exec(line) ?? []
  if (quoting !== undefined) return past(lines, at + 1, (other) => (longQuotation.exec(other)?.[1] ?? '').length >= quoting.length)
  if (quotation.test(line)) return at + 1
  if (comment.test(line)) return past(lines, at, (other) => other.includes('-->'))
  if (verbatim.test(line)) return past(lines, at, (other) => verbatimEnd.test(other))
  return undefined
}

// The marks with which a line opens fenced code. A line that has backticks after them is prose with a code span.
function fenceOf(line: string): string | undefined {
  const [, marks, after = ''] = fence.exec(line) ?? []
  return marks?.startsWith('`') && after.includes('`') ? undefined : marks
}

// Fenced code that begins on the line of a list item ends with that item, too.
function pastCode(lines: string[], from: number, marks: string, inItem: boolean): number {
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (inItem && /^\S/.test(line)) return at
    const closing = inItem || /^ {0,3}\S/.test(line) ? (closingFence.exec(line)?.[1] ?? '') : ''
    if (closing.startsWith(marks.charAt(0)) && closing.length >= marks.length) return at + 1
  }
  return lines.length
}

function past(lines: string[], from: number, isLast: (line: string) => boolean): number {
  for (let at = from; at < lines.length; at++) if (isLast(lines[at] ?? '')) return at + 1
  return lines.length
}

// A paragraph goes on to a blank line, or to a line that begins something else. The line at `from` is part of it.
function paragraphEnd(lines: string[], from: number): number {
  let end = from + 1
  while (end < lines.length) {
    const line = lines[end] ?? ''
    if (line.trim() === '' || fenceOf(line) !== undefined) break
    if (quotation.test(line) || comment.test(line) || verbatim.test(line)) break
    end += 1
  }
  return end
}

// CommonMark's readers give up on longer runs of backticks, too: looking for the end of each would take too long.
const mostBackticks = 80

// Cuts code spans (`…`, with any number of backticks) and closed comments out of a paragraph. A line break inside one
// stays, as a mark that no prose begins with, so that what follows it does not move to the start of a line.
function withoutSpans(paragraph: string): string {
  const unclosed = new Set<string>()
  let result = ''
  let at = 0
  const opener = /`+|<!--/g
  for (let match = opener.exec(paragraph); match; match = opener.exec(paragraph)) {
    const [open] = match
    const end = open.length > mostBackticks || unclosed.has(open) ? -1 : spanEnd(paragraph, open, opener.lastIndex)
    if (end < 0) {
      unclosed.add(open)
      continue
    }
    result += paragraph.slice(at, match.index) + hidden(paragraph.slice(match.index, end))
    at = opener.lastIndex = end
  }
  return result + paragraph.slice(at)
}

function spanEnd(text: string, open: string, from: number): number {
  if (open === '<!--') {
    const end = text.indexOf('-->', from)
    return end < 0 ? -1 : end + 3
  }
  const runs = /`+/g
  runs.lastIndex = from
  for (let run = runs.exec(text); run; run = runs.exec(text)) if (run[0].length === open.length) return runs.lastIndex
  return -1
}

function hidden(span: string): string {
  return span.replaceAll(/[^\n]+/g, '\u0000')
}

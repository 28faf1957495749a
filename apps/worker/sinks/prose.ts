// The prose of a Markdown text: its lines without HTML comments, fenced code, code spans and quotations, as GitLab
// would show them. Read in one pass, in time linear in the text: anybody can write it.

const fence = /^ {0,3}(`{3,}|~{3,})(.*)$/
const quotation = /^ {0,3}>/
const comment = /^ {0,3}<!--/

/** The lines of `text` that are prose, in order. What is hidden inside such a line is left out of it. */
export function proseLines(text: string): string[] {
  const lines = text.replaceAll(/\r\n?/g, '\n').split('\n')
  const prose: string[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at] ?? ''
    const [, marks = '', after = ''] = fence.exec(line) ?? []
    if (marks !== '' && !(marks.startsWith('`') && after.includes('`'))) {
      at = past(lines, at + 1, (other) => closes(other, marks))
    } else if (/^>>>\s*$/.test(line) && lines.indexOf('>>>', at + 1) > 0) {
      at = lines.indexOf('>>>', at + 1) + 1
    } else if (quotation.test(line)) {
      at += 1
    } else if (comment.test(line)) {
      at = line.includes('-->') ? at + 1 : past(lines, at + 1, (other) => other.includes('-->'))
    } else {
      const end = paragraphEnd(lines, at)
      prose.push(...withoutSpans(lines.slice(at, end).join('\n')).split('\n'))
      at = end
    }
  }
  return prose
}

function past(lines: string[], from: number, isLast: (line: string) => boolean): number {
  for (let at = from; at < lines.length; at++) if (isLast(lines[at] ?? '')) return at + 1
  return lines.length
}

function closes(line: string, marks: string): boolean {
  const [, closing = '', after = ''] = fence.exec(line) ?? []
  return closing.startsWith(marks.charAt(0)) && closing.length >= marks.length && after.trim() === ''
}

// A paragraph goes on to a blank line, or to a line that begins something else. The line at `from` is part of it.
function paragraphEnd(lines: string[], from: number): number {
  let end = from + 1
  while (end < lines.length) {
    const line = lines[end] ?? ''
    if (line.trim() === '' || fence.test(line) || quotation.test(line) || comment.test(line)) break
    end += 1
  }
  return end
}

// Cuts code spans (`…`, with any number of backticks) and closed comments out of a paragraph. A line break inside one
// stays, as a mark that no prose begins with, so that what follows it does not move to the start of a line.
function withoutSpans(paragraph: string): string {
  const unclosed = new Set<string>()
  let result = ''
  let at = 0
  const opener = /`+|<!--/g
  for (let match = opener.exec(paragraph); match; match = opener.exec(paragraph)) {
    const [open] = match
    const end = unclosed.has(open) ? -1 : spanEnd(paragraph, open, opener.lastIndex)
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

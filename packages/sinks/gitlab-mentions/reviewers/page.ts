// The reviewers page, read: sections in page order, each with a glob for project paths and the people it lists, and what
// is wrong on the page, for those who look after it. This is what is kept in the cache; whom a merge request concerns is
// decided from it in `match.ts`.
import { setImmediate } from 'node:timers/promises'
import { clip, type ReviewerEntry, readEntry } from './entry.ts'
import { type Element, flatten, readTree } from './tree.ts'

export { NotAPage } from './tree.ts'

/** A heading, which is a glob for project paths, and the people below it. */
export type Section = { name: string; entries: ReviewerEntry[] }

/** Something the page says that could not be followed; `section`, `entry` and `line` tell where, `reason` is the end of a sentence. */
export type Problem = { section?: string; entry?: string; line?: number; reason: string }

/** `suspicious` marks a page without a single heading, blanked or vandalised; `missing` one that is not there. */
export type ReviewersPage = { sections: Section[]; problems: Problem[]; suspicious: boolean; missing?: true }

// A project path of GitLab may be longer, a heading that needs to be is not known. It bounds the work of one glob.
const maxNameLength = 500

// Of sections and people together, and of what is wrong. Anybody can edit the page, and a worker keeps it in memory.
const most = 50_000

/** Reads the parse tree of the page (the XML as a string). Throws `NotAPage` for anything but a whole parse tree. */
export function parsePage(tree: string): ReviewersPage {
  const reading = read(tree)
  for (;;) {
    const { done, value } = reading.next()
    if (done === true) return value
  }
}

/** The same in slices of some milliseconds, between which other jobs have their turn. */
export async function parseInTurns(tree: string): Promise<ReviewersPage> {
  const reading = read(tree)
  for (;;) {
    const { done, value } = reading.next()
    if (done === true) return value
    await setImmediate()
  }
}

function* read(tree: string): Generator<void, ReviewersPage> {
  const sections: Section[] = []
  const problems: Problem[] = []
  const tell = (problem: Problem) => void (problems.length < most && problems.push(problem))
  let headings = 0
  let current: Section | undefined
  let mentions = 0
  let kept = 0

  function visit(element: Element): void {
    if (kept > most || (element.name !== 'h' && element.name !== 'template')) return
    if (++kept > most) tell({ line: element.line, reason: 'the page is too long; what stands here and below is not read' })
    else take(element)
  }

  function take(element: Element): void {
    if (element.cut === true) tell({ line: element.line, reason: 'this is too long and is not read' })
    if (element.name === 'h') {
      headings++
      mentions = 0
      current = element.cut === true ? undefined : readHeading(element, tell)
      if (current) sections.push(current)
    } else if (current && element.cut !== true) {
      const reading = readEntry(element)
      if (!reading) return
      mentions++
      const where = { section: current.name, entry: clip(reading.name ?? `entry ${mentions}`), line: element.line }
      for (const reason of reading.reasons) tell({ ...where, reason })
      if (reading.entry) current.entries.push(reading.entry)
    }
  }

  const isWhole = yield* readTree(tree, visit)
  if (!isWhole) tell({ reason: 'the page nests too much within each other; from there on it is not read' })
  return { sections, problems, suspicious: headings === 0 }
}

function readHeading(heading: Element, tell: (problem: Problem) => void): Section | undefined {
  const text = flatten(heading)
  if (text === undefined) {
    const typed = heading.children.map((child) => (typeof child === 'string' ? child : '…')).join('')
    tell({
      section: clip(stripSigns(typed)),
      line: heading.line,
      reason: 'the heading holds a template or tag that cannot be expanded here; nobody below it is mentioned',
    })
    return undefined
  }
  const name = stripSigns(text)
  if (name.length <= maxNameLength) return { name, entries: [] }
  tell({
    section: clip(name),
    line: heading.line,
    reason: `the heading is longer than ${maxNameLength} characters; nobody below it is mentioned`,
  })
  return undefined
}

function stripSigns(text: string): string {
  const isSign = (character: string | undefined) => character !== undefined && (character === '=' || character.trim() === '')
  let start = 0
  let end = text.length
  while (start < end && isSign(text[start])) start++
  while (end > start && isSign(text[end - 1])) end--
  return text.slice(start, end)
}

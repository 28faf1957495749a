// The reviewers page, read: sections in page order, each with a glob for project paths and the people it lists, and what
// is wrong on the page, for those who tend it. This is what is kept in the cache; whom a merge request concerns is
// decided from it in `match.ts`.
import { clip, type Entry, readEntry } from './entry.ts'
import { type Element, flatten, readTree } from './tree.ts'

export { NotAPage } from './tree.ts'

/** A heading, which is a glob for project paths, and the people below it. */
export type Section = { name: string; entries: Entry[] }

/** Something the page says that could not be followed; `section`, `entry` and `line` tell where, `reason` is the end of a sentence. */
export type Problem = { section?: string; entry?: string; line?: number; reason: string }

/** `suspicious` marks a page without a single heading, blanked or vandalised: better keep the last good copy. */
export type ReviewersPage = { sections: Section[]; problems: Problem[]; suspicious: boolean }

// A project path of GitLab may be longer, a heading that needs to be is not known. It bounds the work of one glob.
const maxNameLength = 500

/** Reads the parse tree of the page (the XML as a string). Throws `NotAPage` for anything but a whole parse tree. */
export function parsePage(tree: string): ReviewersPage {
  const sections: Section[] = []
  const problems: Problem[] = []
  let headings = 0
  let current: Section | undefined
  let mentions = 0
  readTree(tree, (element) => {
    if (element.name === 'h') {
      headings++
      mentions = 0
      current = readHeading(element, problems)
      if (current) sections.push(current)
    } else if (element.name === 'template' && current) {
      const reading = readEntry(element)
      if (!reading) return
      mentions++
      const where = { section: current.name, entry: clip(reading.name ?? `entry ${mentions}`), line: element.line }
      problems.push(...reading.reasons.map((reason) => ({ ...where, reason })))
      if (reading.entry) current.entries.push(reading.entry)
    }
  })
  return { sections, problems, suspicious: headings === 0 }
}

function readHeading(heading: Element, problems: Problem[]): Section | undefined {
  const text = flatten(heading)
  if (text === undefined) {
    const typed = heading.children.map((child) => (typeof child === 'string' ? child : '…')).join('')
    problems.push({
      section: clip(stripSigns(typed)),
      line: heading.line,
      reason: 'the heading holds a template or tag that cannot be expanded here; nobody below it is mentioned',
    })
    return undefined
  }
  const name = stripSigns(text)
  if (name.length <= maxNameLength) return { name, entries: [] }
  problems.push({
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

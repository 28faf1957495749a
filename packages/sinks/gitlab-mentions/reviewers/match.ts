// Whom the reviewers page lists for a project and the files a merge request changes. All sections whose glob fits count,
// in page order. Everybody may edit the page, so the work has an end (`budget.ts`) and lets other jobs run; what could
// not be decided lists nobody and is reported.

import { fnmatch } from '#shared/event/fnmatch.ts'
import type { ChangedFile } from '#sinks/gitlab/gitlab.ts'
import { type Budget, createBudget, defaultLimits } from './budget.ts'
import { clip, type ReviewerEntry } from './entry.ts'
import { compileFilePattern, type FilePattern, type Search } from './file-pattern.ts'
import type { Problem, ReviewersPage } from './page.ts'

type Changes = { files: ChangedFile[]; paths: string[] }
type Patterns = Map<string, FilePattern>

const maxFiles = 3000
const maxPatternsKept = 1000
const quickMs = 10
const needsFilesMs = 50

/** Whether the changed files must be known to match this project; when that takes long to say, they do. */
export function needsFiles(page: ReviewersPage, projectPath: string): boolean {
  const end = performance.now() + needsFilesMs
  return page.sections.some(({ name, entries }) => performance.now() > end || (entries.some(looksAtFiles) && fnmatch(projectPath, name)))
}

/**
 * The user names listed for the project and the files, each once (whatever its case), in page order, and what on the
 * page could not be followed. Never throws.
 */
export async function match(
  page: ReviewersPage,
  projectPath: string,
  files: readonly ChangedFile[],
  limits = defaultLimits,
): Promise<{ usernames: string[]; problems: Problem[] }> {
  const budget = createBudget(limits)
  const patterns = patternsOf(page)
  const usernames = new Map<string, string>()
  const problems: Problem[] = []
  if (files.length > maxFiles) problems.push({ reason: `only the first ${maxFiles} of ${files.length} changed files were looked at` })
  const looked = files.slice(0, maxFiles)
  const all = changesOf(looked)
  const added = changesOf(looked.filter((file) => file.isNew))
  for (const { section, entry } of stepsThrough(page, projectPath)) {
    if (budget.isSpent()) {
      problems.push({ section, reason: 'the page takes too long; from here on nobody is mentioned' })
      break
    }
    if (budget.isDue()) await budget.breathe()
    if (!entry || usernames.has(entry.username.toLowerCase())) continue
    const verdict = await concerns(entry, entry.onlyMatchNewFiles ? added : all, patterns, budget)
    if (typeof verdict === 'string') problems.push({ section, entry: entry.username, line: entry.line, reason: verdict })
    else if (verdict) usernames.set(entry.username.toLowerCase(), entry.username)
  }
  return { usernames: [...usernames.values()], problems }
}

// Each section is a step of its own, so that a page of nothing but headings can be interrupted too.
function* stepsThrough(page: ReviewersPage, projectPath: string): Generator<{ section: string; entry?: ReviewerEntry }> {
  for (const { name, entries } of page.sections) {
    const section = clip(name)
    yield { section }
    if (entries.length > 0 && fnmatch(projectPath, name)) for (const entry of entries) yield { section, entry }
  }
}

// The answer, or a sentence's end that says why there is none.
async function concerns(entry: ReviewerEntry, changes: Changes, patterns: Patterns, budget: Budget): Promise<boolean | string> {
  if (!looksAtFiles(entry)) return true
  if (changes.files.length === 0) return false
  if (entry.fileRegexp === undefined) return true
  const pattern = patterns.get(entry.fileRegexp) ?? compileFilePattern(entry.fileRegexp)
  const search = await pattern(changes.paths, budget)
  keepIfQuick(patterns, entry.fileRegexp, pattern, search)
  if ('reason' in search) return search.reason
  const isFound = ({ path, oldPath }: ChangedFile) => search.found.has(path) || (oldPath !== undefined && search.found.has(oldPath))
  return entry.matchAllFiles ? changes.files.every(isFound) : changes.files.some(isFound)
}

function looksAtFiles(entry: ReviewerEntry): boolean {
  return entry.fileRegexp !== undefined || entry.matchAllFiles || entry.onlyMatchNewFiles
}

function changesOf(files: ChangedFile[]): Changes {
  const paths = files.flatMap(({ path, oldPath }) => (oldPath === undefined ? [path] : [path, oldPath]))
  return { files, paths: [...new Set(paths)] }
}

const patternsByPage = new WeakMap<ReviewersPage, Patterns>()

function patternsOf(page: ReviewersPage): Patterns {
  const patterns = patternsByPage.get(page) ?? new Map()
  patternsByPage.set(page, patterns)
  return patterns
}

// A slow expression has grown a machine of several megabytes, which is better forgotten than kept as long as the page.
function keepIfQuick(patterns: Patterns, expression: string, pattern: FilePattern, search: Search): void {
  if ('reason' in search || search.ms > quickMs) patterns.delete(expression)
  else if (patterns.size < maxPatternsKept) patterns.set(expression, pattern)
}

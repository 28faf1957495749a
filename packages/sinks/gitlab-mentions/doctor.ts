// Whether the reviewers page can be read, and what on it leads nowhere: entries that cannot be understood, patterns that
// are not valid, users whom GitLab does not know.
import { pino } from 'pino'
import { inWords } from '#shared/process/errors.ts'
import { redactor } from '#shared/process/log.ts'
import { type Finding, ok, warning } from '#sinks/finding.ts'
import { type GitLab, openGitLab } from '#sinks/gitlab/gitlab.ts'
import type { gitlabVariables } from '#sinks/gitlab/variables.ts'
import type { SettingsOf } from '#sinks/variables.ts'
import { createBudget } from './reviewers/budget.ts'
import { compileFilePattern } from './reviewers/file-pattern.ts'
import type { Problem, ReviewersPage } from './reviewers/page.ts'
import type { wikiVariables } from './variables.ts'
import { openWiki } from './wiki.ts'

const id = 'reviewers'
const mostShown = 50
const mostUsers = 500

/** The page as it is, its address for people, and what is wrong on it; `usersUnknown` says why nobody asked for its users. */
export type Reviewers = { page: ReviewersPage; link: string; problems: Problem[]; usersUnknown?: string }

type Asked = Partial<SettingsOf<typeof gitlabVariables & typeof wikiVariables>>

/** Reads the page, and says what is wrong on it. Throws `Unavailable` when the wiki is away. */
export async function checkReviewers(settings: Asked, signal: AbortSignal): Promise<Finding[]> {
  const { page, link, problems, usersUnknown } = await readReviewers(settings, signal)
  const entries = page.sections.flatMap((section) => section.entries)
  if (page.suspicious) return [warning(id, `${link} has no headings, so it lists nobody`, 'look at its history, and restore it')]
  const findings = problems.slice(0, mostShown).map((problem) => warning(id, sentence(problem), `edit ${link}`))
  if (problems.length > mostShown) findings.push(warning(id, `${problems.length - mostShown} more mistakes like these`, `edit ${link}`))
  const users = usersUnknown === undefined ? '' : `; ${usersUnknown} it is not known whether the users exist`
  return findings.length > 0 ? findings : [ok(id, `${link}: ${page.sections.length} sections, ${entries.length} entries${users}`)]
}

/** Reads the page and looks at all that is on it. Throws `Unavailable` when the wiki is away. */
export async function readReviewers(settings: Asked, signal: AbortSignal): Promise<Reviewers> {
  const { REVIEWERS_API_URL: apiUrl = '', REVIEWERS_PAGE: name = '', GITLAB_URL: url = '', GITLAB_TOKEN: token } = settings
  const wiki = openWiki({ apiUrl, page: name, maxAge: 0, report: () => undefined, log: pino({ level: 'silent' }) })
  const page = await wiki.reviewers(signal)
  const found = { page, link: wiki.link, problems: [...page.problems, ...(await badPatterns(page))] }
  if (!token) return { ...found, usersUnknown: 'without GITLAB_TOKEN' }
  try {
    const unknown = await unknownUsers(page, openGitLab({ url, token, redact: redactor([token()]) }), signal)
    return { ...found, problems: [...found.problems, ...unknown] }
  } catch (error) {
    return { ...found, usersUnknown: `since ${inWords(error).replace(/\.$/, '')},` }
  }
}

async function badPatterns({ sections }: ReviewersPage): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const { name: section, entries } of sections) {
    for (const { username: entry, fileRegexp, line } of entries) {
      const search = fileRegexp === undefined ? undefined : await compileFilePattern(fileRegexp)([], createBudget())
      if (search && 'reason' in search) problems.push({ section, entry, line, reason: search.reason })
    }
  }
  return problems
}

async function unknownUsers({ sections }: ReviewersPage, gitlab: GitLab, signal: AbortSignal): Promise<Problem[]> {
  const looked = new Map<string, string | undefined>()
  const problems: Problem[] = []
  for (const { name: section, entries } of sections) {
    for (const { username: entry, line } of entries) {
      const key = entry.toLowerCase()
      if (!looked.has(key) && looked.size < mostUsers) looked.set(key, await faultOf(entry, gitlab, signal))
      const reason = looked.get(key)
      if (reason !== undefined) problems.push({ section, entry, line, reason })
    }
  }
  return problems
}

async function faultOf(name: string, gitlab: GitLab, signal: AbortSignal): Promise<string | undefined> {
  const user = await gitlab.userNamed(name, signal)
  if (!user) return 'GitLab knows no user of that name'
  return user.active ? undefined : 'the user is blocked or deactivated in GitLab'
}

function sentence({ section, entry, line, reason }: Problem): string {
  const where = [line !== undefined && `line ${line}`, section !== undefined && `"${section}"`, entry].filter((part) => part)
  return `${where.join(', ')}: ${reason}`
}

// Whether the reviewers page can be read, and what on it leads nowhere: entries that cannot be understood, patterns that
// are not valid, users whom GitLab does not know.
import { pino } from 'pino'
import { inWords } from '#shared/process/errors.ts'
import { redactor } from '#shared/process/log.ts'
import { type Finding, ok, warning, wrong } from '#sinks/finding.ts'
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
const atOnce = 10

/** The page as it is, its address for people, and what is wrong on it; `usersUnknown` says why nobody asked for its users. */
export type Reviewers = { page: ReviewersPage; link: string; problems: Problem[]; usersUnknown?: string }

type Asked = Partial<SettingsOf<typeof gitlabVariables & typeof wikiVariables>>

/** Reads the page, and says what is wrong on it. Throws `Unavailable` when the wiki is away. */
export async function checkReviewers(settings: Asked, signal: AbortSignal): Promise<Finding[]> {
  const { page, link, problems, usersUnknown } = await readReviewers(settings, signal)
  const entries = page.sections.flatMap((section) => section.entries)
  if (page.missing)
    return [wrong(id, `${link} does not exist, so nobody is mentioned: a typo in REVIEWERS_PAGE?`, 'put its name there, or write the page')]
  if (page.suspicious) return [warning(id, `${link} has no headings, so it lists nobody`, 'look at its history, and restore it')]
  const kinds = [...Map.groupBy(problems, ({ reason }) => reason).values()]
  const findings = kinds.slice(0, mostShown).map((kind) => warning(id, sentence(kind), `edit ${link}`))
  if (kinds.length > mostShown) findings.push(warning(id, `${kinds.length - mostShown} more kinds of mistakes`, `edit ${link}`))
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
  const all = sections.flatMap(({ name: section, entries }) => entries.map(({ username: entry, line }) => ({ section, entry, line })))
  const names = [...new Set(all.map(({ entry }) => entry.toLowerCase()))].slice(0, mostUsers)
  const faults = new Map<string, string | undefined>()
  for (let from = 0; from < names.length; from += atOnce)
    await Promise.all(names.slice(from, from + atOnce).map(async (name) => faults.set(name, await faultOf(name, gitlab, signal))))
  return all.flatMap((one) => {
    const reason = faults.get(one.entry.toLowerCase())
    return reason === undefined ? [] : [{ ...one, reason }]
  })
}

async function faultOf(name: string, gitlab: GitLab, signal: AbortSignal): Promise<string | undefined> {
  const user = await gitlab.userNamed(name, signal)
  if (!user) return 'GitLab knows no user of that name'
  return user.active ? undefined : 'the user is blocked or deactivated in GitLab'
}

// The problems of one kind: the only one with its place, several with the names and lines of all.
function sentence(kind: Problem[]): string {
  const [{ section, entry, line, reason } = { reason: '' }] = kind
  if (kind.length === 1) {
    const where = [line !== undefined && `line ${line}`, section !== undefined && `"${section}"`, entry].filter((part) => part)
    return `${where.join(', ')}: ${reason}`
  }
  const named = kind
    .slice(0, mostShown)
    .map((one) => `${one.entry ?? one.section ?? 'the page'}${one.line === undefined ? '' : ` (line ${one.line})`}`)
  const more = kind.length > mostShown ? ` and ${kind.length - mostShown} more` : ''
  return `${kind.length} times, ${reason}: ${named.join(', ')}${more}`
}

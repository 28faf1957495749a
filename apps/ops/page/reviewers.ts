// `/reviewers`: what is wrong on the reviewers page, for those who look after it.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { inWords } from '#shared/process/errors.ts'
import { type Reviewers, readReviewers } from '#sinks/gitlab-mentions/doctor.ts'
import { gitlabMentions } from '#sinks/gitlab-mentions/sink.ts'
import { cached } from '#sinks/http/cache.ts'
import { settingsOf } from '#sinks/variables.ts'
import type { Visited } from './door/visitor.ts'
import { type Html, page } from './html/frame.ts'
import { table } from './html/table.ts'
import { foreign, many, outward } from './html/words.ts'
import type { PageContext } from './page-context.ts'

const patienceMs = 20_000
const keptMs = 15_000

export function reviewers({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  // It may ask GitLab for some hundred users.
  const read = cached((who, signal) => readReviewers(settingsOf(gitlabMentions.variables, contextFor(who).config.settings), signal), {
    ms: keptMs,
    most: 1,
  })
  app.get('/reviewers', async (c: Context<Visited>) => {
    try {
      return page(c, 'Reviewers page', report(await read(c.var.visitor.who, AbortSignal.timeout(patienceMs))))
    } catch (error) {
      const reason = `The wiki cannot be read now: ${inWords(error)}`
      return page(c, 'Reviewers page', html`<p class="notice bad" role="alert">${reason}</p>`, 503)
    }
  })
  return app
}

function report({ page: read, link, problems, usersUnknown }: Reviewers): Html {
  const entries = read.sections.reduce((sum, section) => sum + section.entries.length, 0)
  const rows = problems
    .toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0))
    .map(({ section, entry, line, reason }) => [foreign(section), line ?? '–', foreign(entry), foreign(reason)])
  return html`<p>${outward(link, 'The page on the wiki')} has ${many(read.sections.length, 'section', 'sections')} with ${many(entries, 'entry', 'entries')},
and ${problems.length === 0 ? 'no mistakes' : many(problems.length, 'mistake', 'mistakes')}.</p>
${read.missing ? html`<p class="notice bad">The page does not exist: a typo in REVIEWERS_PAGE?</p>` : ''}
${read.suspicious && !read.missing ? html`<p class="notice bad">The page has no headings: somebody may have emptied it.</p>` : ''}
${usersUnknown === undefined ? '' : html`<p class="notice warn">It was not checked whether the users on it exist, ${usersUnknown.replace(/,$/, '')}.</p>`}
${table('Mistakes on the page', ['Section', '#Line', 'Entry', '~What is wrong'], rows, 'There are no mistakes on the page.')}`
}

// `/dead`: the dead letters, by error and one by one, and the form that repairs them.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { type DeadLetter, type Group, groupDead, listDead } from '../../actions/dead.ts'
import type { OpsConfig } from '../../context.ts'
import type { Visited } from '../door/visitor.ts'
import { type Asked, filterForm, isFiltered, queryOf, readFilters } from '../html/filter-form.ts'
import { type Html, page } from '../html/frame.ts'
import { mergeRequestLink, taskLink } from '../html/links.ts'
import { cursorOf, older, pageOf, readCursor, sizeOf } from '../html/paging.ts'
import { table } from '../html/table.ts'
import { ago, count, foreign, storyOf } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { repairForm } from './repair-form.ts'

export function dead({ database, contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.get('/dead', async (c: Context<Visited>) => {
    const asked = readFilters(c.req.query())
    if (asked.mistakes.length > 0) return page(c, 'Dead letters', filterForm(asked, '/dead'), 400)
    const limit = sizeOf(asked.filters)
    const [groups, letters] = await Promise.all([
      groupDead(database, { ...asked.filters, limit: undefined }),
      listDead(database, { ...asked.filters, limit: limit + 1 }, readCursor(c.req.query('before'))),
    ])
    const { shown, last } = pageOf(letters, limit)
    const matching = groups.reduce((sum, group) => sum + group.count, 0)
    const discarded = Number(c.req.query('discarded'))
    return page(
      c,
      'Dead letters',
      html`${discarded > 0 ? html`<p class="notice good" role="status">${count(discarded)} discarded. The journal keeps them.</p>` : ''}
${filterForm(asked, '/dead')}
${
  matching === 0
    ? html`<p class="none">${isFiltered(asked) ? 'No dead letter matches.' : 'There are no dead letters.'}</p>`
    : html`
<h2>By error</h2>${byError(groups, asked)}
<h2>One by one</h2>
${repairForm(c.var.visitor, { list: list(shown, contextFor(c.var.visitor.who).config), ...(isFiltered(asked) && { asked, matching }) })}
${older(last && `/dead?${queryOf(asked, { before: cursorOf(last.at ?? '', last.id) })}`)}`
}`,
    )
  })
  return app
}

function byError(groups: Group[], asked: Asked): Html {
  const rows = groups.map(({ id, error, count: number, sinks, first, last }) => [
    html`<a href="/dead?${queryOf(asked, { error: id })}">${foreign(error)}</a>`,
    count(number),
    sinks.join(', '),
    ago(first),
    ago(last),
  ])
  return table('Dead letters by error', ['~Error', '#Letters', 'Sink', 'First', 'Last'], rows, '')
}

function list(letters: DeadLetter[], config: OpsConfig): Html {
  const rows = letters.map((letter, index) => [
    html`<input type="checkbox" id="letter-${index}" name="letter" value="${letter.id}"> <label for="letter-${index}">${letter.sink} ${taskLink(letter, config)}</label>`,
    mergeRequestLink(letter, config),
    foreign(letter.reason),
    letter.attempts,
    ago(letter.at),
    html`<a href="${storyOf(letter.delivery)}">Story</a>`,
  ])
  return table('Dead letters, latest first', ['Letter', 'Merge request', '~Why', '#Attempts', 'Since', 'Delivery'], rows, '')
}

// `/explain?about=`: what came of a merge request, in one sentence and then by each of its deliveries.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { readAddress } from '#sinks/story/address.ts'
import { summaryOf } from '#sinks/story/summary.ts'
import { type Explained, explain, explainMergeRequest } from '../../actions/explain.ts'
import type { Visited } from '../door/visitor.ts'
import { type Html, page } from '../html/frame.ts'
import { mergeRequestLink } from '../html/links.ts'
import { table } from '../html/table.ts'
import { ago, foreign, many, storyOf } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'

const longest = 2000

/** Asks for a merge request, or for the id of a delivery; `about` was asked for before. */
export function explainForm(about = ''): Html {
  return html`<form class="card" method="get" action="/explain" role="search">
<label for="about">What came of a merge request, or of a delivery? Its address, <code>project!number</code>, or id:</label>
<input id="about" name="about" required maxlength="${longest}" value="${about}" placeholder="https://…/-/merge_requests/12" autocomplete="off" spellcheck="false">
<p class="buttons"><button>Explain</button></p>
</form>`
}

export function mergeRequest({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.get('/explain', async (c: Context<Visited>) => {
    const about = (c.req.query('about') ?? '').trim().slice(0, longest)
    if (about === '') return page(c, 'Explain', explainForm())
    const context = contextFor(c.var.visitor.who)
    if (await explain(context, about)) return c.redirect(storyOf(about), 303)
    const mr = readAddress(about)
    const stories = mr ? await explainMergeRequest(context, mr) : []
    const nothing = mr ? nothingAbout : 'This is neither the address of a merge request, nor project!number, nor the id of a delivery.'
    if (!mr || stories.length === 0)
      return page(c, 'Explain', html`<p class="notice" role="alert">${nothing}</p>${explainForm(about)}`, mr ? 404 : 400)
    const name = `${mr.project}!${mr.iid}`
    return page(
      c,
      name,
      html`<p>${foreign(summaryOf(stories))}.</p>
<p>Of ${many(stories.length, 'delivery', 'deliveries')}, the last ${ago(stories[0]?.receivedAt)}. ${mergeRequestLink({ mr: name }, context.config)}</p>
${table('Its deliveries, newest first', ['Delivery', '~What came of it', 'By', 'Title'], stories.map(row), '')}
${explainForm(about)}`,
    )
  })
  return app
}

const nothingAbout =
  'The journal has no delivery about this merge request: none came, it has been pruned, or the project was called otherwise then.'

function row({ id, receivedAt, kind, action, sentence, user, title }: Explained) {
  const what = `${kind}${action === null ? '' : ` ${action}`}`
  return [html`<a href="${storyOf(id)}">${what}</a> ${ago(receivedAt)}`, foreign(`${sentence}.`), foreign(user), foreign(title)]
}

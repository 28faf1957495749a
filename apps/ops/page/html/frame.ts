// What all pages have around them: the head, the way through the pages, who is logged in.
import type { Context } from 'hono'
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ownForm, type Visited, type Visitor } from '../door/visitor.ts'

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

const places = [
  ['/', 'Overview'],
  ['/deliveries', 'Deliveries'],
  ['/dead', 'Dead letters'],
  ['/replays', 'Replays'],
  ['/maintenance', 'Maintenance'],
  ['/audit', 'Audit log'],
  ['/doctor', 'Doctor'],
  ['/reviewers', 'Reviewers'],
  ['/queues', 'Raw queues'],
] as const

/** Answers with a page: its `title` is also its heading. */
export function page(c: Context<Visited>, title: string, content: Html, status: ContentfulStatusCode = 200) {
  return c.html(frame(title, content, navigation(c.req.path, c.var.visitor)), status)
}

/** The whole document. Pages for those who are not logged in have no `navigation`. */
export function frame(title: string, content: Html, navigation: Html | string = '') {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · gitlab-webhooks</title>
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/simple.css">
<link rel="stylesheet" href="/assets/style.css">
<script src="/assets/sort.js" defer></script>
<script src="/assets/live.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
${navigation}
<main id="content" tabindex="-1">
<h1>${title}</h1>
${content}
</main>
</body>
</html>`
}

/** The way through the pages, for somebody who is in. */
export function navigation(path: string, visitor: Visitor): Html {
  const here = (address: string) => path === address || (address !== '/' && path.startsWith(`${address}/`))
  return html`<header>
<a class="name" href="/">gitlab-webhooks</a>
<nav aria-label="Pages"><ul>
${places.map(([address, name]) => html`<li><a href="${address}"${here(address) ? html` aria-current="page"` : ''}>${name}</a></li>`)}
</ul></nav>
<div class="who">
<span>You are <b><bdi>${visitor.who}</bdi></b>${visitor.mayChange ? '' : ', to look only'}</span>
${visitor.canLeave ? html`<form method="post" action="/logout">${ownForm(visitor)}<button class="quiet">Log out</button></form>` : ''}
</div>
</header>`
}

// The page about a merge request, and those that say that there is none to show. All that came from outside stays text.
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { harmless } from '#shared/process/harmless.ts'
import type { Story } from '#sinks/story/story.ts'
import type { Known } from './look.ts'

type Html = HtmlEscapedString | Promise<HtmlEscapedString>
type Effect = Story['effects'][number]

/** The page about what is known; `base` is the path under which ingest is found, such as `/hooks`, or nothing. */
export function knownPage({ name, url, asOf, sentence, stories }: Known, base: string): Html {
  const heading = url === undefined ? html`${shown(name)}` : html`<a href="${url}" rel="noreferrer">${shown(name)}</a>`
  return frame(
    name,
    base,
    html`<h1>${heading}</h1>
<div id="story">
<p class="lead">${shown(sentence)}.</p>
<p><small>As of ${moment(asOf)}${stories.length === 50 ? ', the latest 50 deliveries' : ''}. <span id="stale" role="status"></span></small></p>
${stories.map(delivery)}
</div>
${searchForm(base)}
<script type="module" src="${base}/welcome/story.js"></script>`,
  )
}

/** A page with one sentence in place of a merge request. */
export function nothingPage(title: string, sentence: string, base: string): Html {
  return frame(title, base, html`<h1>${title}</h1><p>${sentence}</p>${searchForm(base)}`)
}

/** Asks for the address of a merge request. */
export function searchForm(base: string): Html {
  return html`<form method="get" action="${base}/merge-requests" role="search">
<label for="address">What came of a merge request? Its address:</label>
<input id="address" name="address" required maxlength="2000" placeholder="https://…/-/merge_requests/12" autocomplete="off" spellcheck="false">
<button>Look</button>
</form>`
}

function frame(title: string, base: string, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${shown(title)}</title>
<link rel="stylesheet" href="${base}/welcome/style.css">
</head>
<body>
<p><a href="${base}/">GitLab events, live</a></p>
<main>
${content}
</main>
</body>
</html>
`
}

function delivery({ receivedAt, kind, action, user, title, decisions, effects }: Story): Html {
  const others = effects.filter(({ sink }) => !decisions.some((decision) => decision.sink === sink))
  return html`<section>
<h2>${shown(`${kind}${action === null ? '' : ` ${action}`}`)} <small>${moment(receivedAt)}${user === null ? '' : html`, by <bdi>${shown(user)}</bdi>`}</small></h2>
${title === null ? '' : html`<p><bdi>${shown(title)}</bdi></p>`}
<dl>
${decisions.map(
  ({ sink, reason }) =>
    html`<dt>${sink}</dt>${decided(
      reason,
      effects.filter((effect) => effect.sink === sink),
    )}`,
)}
${others.map((effect) => html`<dt>${effect.sink}</dt><dd>${outcome(effect)}</dd>`)}
</dl>
${decisions.length === 0 && effects.length === 0 ? html`<p>Nothing has been decided yet.</p>` : ''}
</section>
`
}

function decided(reason: string | null, effects: Effect[]): Html {
  if (effects.length > 0) return html`${effects.map((effect) => html`<dd>${outcome(effect)}</dd>`)}`
  return html`<dd>${reason === null ? 'acts: it is not known yet what comes of it' : html`nothing: ${shown(reason)}`}</dd>`
}

// The word for a state, and its looks.
const words: Record<string, [word: string, look: string]> = {
  done: ['done', 'good'],
  planned: ['waits', ''],
  held: ['waits', 'bad'],
  paused: ['waits', 'bad'],
  dead: ['failed', 'bad'],
  discarded: ['given up by an operator', 'bad'],
}

function outcome({ task, outcome: { state, reason, link, at } }: Effect): Html {
  const [word, look] = words[state] ?? [state, '']
  const isAddress = link !== null && /^https?:\/\//.test(link)
  const what = isAddress ? html` <a href="${link}" rel="noreferrer">${task ?? 'see it'}</a>` : task === null ? '' : ` ${task}`
  return html`<b class="${look}">${word}</b>${what}${reason === null ? '' : html`: ${shown(reason)}`}${at === null ? '' : html` <small>${moment(at)}</small>`}`
}

const longest = 700

function shown(text: string): string {
  return harmless(text.slice(0, longest))
}

function moment(at: string): Html {
  return html`<time datetime="${at}">${at.slice(0, 19).replace('T', ' ')} UTC</time>`
}

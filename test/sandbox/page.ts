// The sandbox for people: a merge request with its notes, a task with its comments, a wiki page, and an overview of
// what the three remotes received. Everything shown is escaped; the pages need no script and reload by themselves.
import { html, raw } from 'hono/html'
import type { MergeRequest } from './forge.ts'
import type { Page } from './pages.ts'
import type { Recorded, Remote } from './server.ts'
import type { Maniphest, Task } from './tasks.ts'

type Html = ReturnType<typeof html>
type Shown = { gitlab: Remote & { links: string[] }; phabricator: Remote & { links: string[] }; wiki: Remote & { links: string[] } }

export async function mergeRequestPage(project: string, merge: MergeRequest): Promise<string> {
  const notes = merge.notes.map((note) =>
    note.system ? html`<p class="quiet">${note.author} ${note.body}</p>` : said(note.author, note.createdAt, note.body),
  )
  const files = merge.files.map(({ path, newFile }) => html`<li><code>${path}</code>${newFile ? ' (new)' : ''}</li>`)
  const commits = merge.commits.map(({ id, message }) => html`<li><code>${id.slice(0, 8)}</code><pre>${message}</pre></li>`)
  const body = html`<p class="quiet">${project} · ${merge.state}${merge.draft ? ' · draft' : ''} · ${merge.sourceBranch} → ${merge.targetBranch}</p>
    ${said(merge.author, merge.createdAt, merge.description)}
    <h2>Activity</h2>${notes.length > 0 ? notes : html`<p class="quiet">No notes yet.</p>`}
    <h2>Commits</h2><ul>${commits}</ul><h2>Changes</h2><ul>${files}</ul>`
  return layout('GitLab (sandbox)', `!${merge.iid} ${merge.title}`, body)
}

export async function taskPage({ accounts }: Maniphest, task: Task): Promise<string> {
  const name = (phid: string) => accounts.find((account) => account.phid === phid)?.userName ?? phid
  const entries = task.transactions.map(({ type, authorPHID, dateCreated, comments }) => {
    const comment = comments.at(-1)
    const at = new Date(dateCreated * 1000).toISOString()
    if (!comment) return html`<p class="quiet">${name(authorPHID)}: ${type ?? 'mentioned this task'}</p>`
    return comment.removed ? html`<p class="quiet">A comment was removed.</p>` : said(name(authorPHID), at, comment.text)
  })
  const body = html`<p class="quiet">${task.status} · ${task.access}</p><p>${task.description}</p>
    <h2>Activity</h2>${entries.length > 0 ? entries : html`<p class="quiet">No comments yet.</p>`}`
  return layout('Phabricator (sandbox)', `T${task.id} ${task.title}`, body)
}

export async function wikiPage({ title, revid, text }: Page): Promise<string> {
  return layout('Wiki (sandbox)', title, html`<p class="quiet">Revision ${revid}</p><pre>${text}</pre>`)
}

export async function overviewPage(remotes: Shown): Promise<string> {
  const lists = Object.entries(remotes).map(
    ([name, { url, links }]) =>
      html`<li><b>${name}</b> at <code>${url}</code>: ${links.map((link) => html`<a href="${url}${link}">${link}</a> `)}</li>`,
  )
  const received = Object.entries(remotes)
    .flatMap(([name, { requests }]) => requests.map((request) => ({ name, ...request })))
    .toSorted((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, 100)
  const body = html`<ul>${lists}</ul><h2>Received, newest first</h2>
    ${received.length > 0 ? html`<table>${received.map(row)}</table>` : html`<p class="quiet">Nothing yet.</p>`}`
  return layout('Sandbox', 'What the three remotes received', body)
}

function row({ name, at, method, path, body, status }: Recorded & { name: string }): Html {
  const shortened = body.length > 500 ? `${body.slice(0, 500)}…` : body
  return html`<tr><td>${at.slice(11, 23)}</td><td>${name}</td><td>${status ?? 'no answer'}</td>
    <td><code>${method} ${path}</code>${shortened ? html`<pre>${shortened}</pre>` : ''}</td></tr>`
}

function said(who: string, when: string, text: string): Html {
  return html`<article><p class="quiet"><b>${who}</b> ${when}</p><pre>${text}</pre></article>`
}

async function layout(site: string, title: string, body: Html): Promise<string> {
  return String(
    await html`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="3">
<title>${title} · ${site}</title><style>${raw(style)}</style></head>
<body><header>${site}</header><main><h1>${title}</h1>${body}</main></body>
</html>`,
  )
}

const style = `
:root { color-scheme: light dark; --line: light-dark(#d4d4d8, #3f3f46); --quiet: light-dark(#5b5b66, #a1a1aa); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
header, .quiet { color: var(--quiet); }
article, tr { border-top: 1px solid var(--line); }
article { padding: .25rem 0; }
table { border-collapse: collapse; width: 100%; }
td { padding: .25rem .75rem .25rem 0; vertical-align: top; }
pre { font: inherit; margin: .25rem 0; overflow-wrap: anywhere; white-space: pre-wrap; }
code { font-size: .9em; overflow-wrap: anywhere; }
`

/** What Phabricator answers when its database is away. */
export const setupErrorPage =
  '<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset="UTF-8" />\n    <title>Setup Error</title>\n  </head>\n  <body class="setup-fatal in-flight"><h1>A Troublesome Encounter!</h1><div>Woe! This request had its journey cut short by unexpected circumstances (Can Not Connect to MySQL).</div></body>\n</html>'

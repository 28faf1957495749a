// `/audit`: who changed what, when and why, on this page or on the command line.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { type AuditEntry, listAudit } from '../actions/audit.ts'
import type { Visited } from './door/visitor.ts'
import { readFilters } from './html/filter-form.ts'
import { type Html, page } from './html/frame.ts'
import { older, pageOf, usual } from './html/paging.ts'
import { table } from './html/table.ts'
import { foreign, moment } from './html/words.ts'
import type { PageContext } from './page-context.ts'

const idSchema = z.coerce.number().int().min(1)

export function audit({ database }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  // Its former address.
  app.get('/acts', (c) => c.redirect('/audit', 301))
  app.get('/audit', async (c: Context<Visited>) => {
    const before = idSchema.safeParse(c.req.query('before'))
    const { since = '', until = '' } = c.req.query()
    const { typed, filters, mistakes } = readFilters({ since, until })
    const form = timeForm(typed, mistakes)
    if (mistakes.length > 0) return page(c, 'Audit log', form, 400)
    const { since: from, until: to } = filters
    const found = await listAudit(database, { since: from, until: to, limit: usual + 1, ...(before.success && { before: before.data }) })
    const { shown, last } = pageOf(found, usual)
    const list = table(
      'Audit log, latest first',
      ['When', 'Who', 'What', '#How many', '~Why', '~Details'],
      shown.map(row),
      'There are no such entries.',
    )
    return page(
      c,
      'Audit log',
      html`${form}${list}${older(last && `/audit?${new URLSearchParams({ ...typed, before: String(last.id) }).toString()}`)}`,
    )
  })
  return app
}

function timeForm({ since = '', until = '' }: Record<string, string>, mistakes: string[]): Html {
  return html`${mistakes.map((mistake) => html`<p class="notice bad" role="alert">${mistake}</p>`)}
<details class="filters"${since + until === '' ? '' : html` open`}><summary>Filter</summary>
<form method="get" action="/audit"><div class="fields">
<div><label for="audit-since">Since</label><input id="audit-since" name="since" value="${since}" placeholder="2h, or 2026-11-23T10:00Z" autocomplete="off"></div>
<div><label for="audit-until">Until</label><input id="audit-until" name="until" value="${until}" placeholder="30m" autocomplete="off"></div></div>
<p><button>Show</button> <a href="/audit">Clear</a></p></form></details>`
}

function row({ at, who, verb, what, reason, details }: AuditEntry) {
  return [
    moment(at),
    foreign(who),
    verb,
    foreign(what),
    foreign(reason),
    html`<small><code>${clip(JSON.stringify(details))}</code></small>`,
  ]
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

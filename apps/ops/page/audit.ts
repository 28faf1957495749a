// `/audit`: who changed what, when and why, on this page or on the command line.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { type AuditEntry, listAudit } from '../actions/audit.ts'
import type { Visited } from './door/visitor.ts'
import { page } from './html/frame.ts'
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
    const found = await listAudit(database, { limit: usual + 1, ...(before.success && { before: before.data }) })
    const { shown, last } = pageOf(found, usual)
    const list = table(
      'Audit log, latest first',
      ['When', 'Who', 'What', '#How many', '~Why', '~Details'],
      shown.map(row),
      'Nobody has changed anything yet.',
    )
    return page(c, 'Audit log', html`${list}${older(last && `/audit?before=${last.id}`)}`)
  })
  return app
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

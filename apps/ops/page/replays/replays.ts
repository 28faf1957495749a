// `/replays`: the replays that were begun here or on the command line, how far they are, and how they ended.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { beginReplay } from '../../actions/replay/begin.ts'
import { listReplays, type Progress, replayOf, stopReplay } from '../../actions/replay/list.ts'
import type { Visited } from '../door/visitor.ts'
import { page } from '../html/frame.ts'
import { older, pageOf, usual } from '../html/paging.ts'
import { reasonSchema } from '../html/reason.ts'
import { table } from '../html/table.ts'
import { ago, count, foreign, state } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal } from '../refusal.ts'
import { replayButtons, replayCard } from './replay-card.ts'

const idSchema = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER)
const changes = { stop: 'stop', continue: 'continue' } as const

export function replays({ database, contextFor, runner }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  const find = async (id: string | undefined) => {
    const read = idSchema.safeParse(id)
    const row = read.success ? await database.selectFrom('replays').select('id').where('id', '=', read.data).executeTakeFirst() : undefined
    return row && (await replayOf(database, row.id))
  }

  app.get('/replays', async (c: Context<Visited>) => {
    const before = idSchema.safeParse(c.req.query('before'))
    const found = await listReplays(database, usual + 1, before.data)
    const { shown, last } = pageOf(found, usual)
    const list = table(
      'Replays, latest first',
      ['Replay', 'State', '#Chosen', '#Put back', '#Failed again', 'By', '~Why'],
      shown.map(row),
      'There have been no replays yet.',
    )
    return page(c, 'Replays', html`<div id="replays" data-live>${list}</div>${older(last && `/replays?before=${last.id}`)}`)
  })
  app.get('/replays/:id', async (c: Context<Visited>) => {
    const found = await find(c.req.param('id'))
    if (!found) return refusal(c, 404, 'No such replay', 'There is no replay with this number.')
    const isHere = runner.isRunning(found.id)
    const content = html`<div id="replay" data-live>${replayCard(found, isHere)}</div>
<div id="buttons" data-live>${replayButtons(found, isHere, c.var.visitor)}</div>`
    return page(c, `Replay ${found.id}`, content)
  })
  app.post('/replays/:id/:change', async (c) => {
    const found = await find(c.req.param('id'))
    const read = reasonSchema.safeParse(await c.req.parseBody())
    if (!found || !Object.hasOwn(changes, c.req.param('change')))
      return refusal(c, 404, 'Nothing has been changed', 'There is no such replay.')
    if (!read.success) return refusal(c, 400, 'Nothing has been changed', 'Say why: a reason is needed.')
    const { reason } = read.data
    const here = contextFor(c.var.visitor.who)
    if (c.req.param('change') === changes.stop) {
      await stopReplay(here, found.id, reason)
      return c.redirect(`/replays/${found.id}`, 303)
    }
    const { id } = await beginReplay(here, found.selection, { reason, rate: found.rate })
    runner.run(id, here)
    return c.redirect(`/replays/${id}`, 303)
  })
  return app
}

function row({ id, at, state: word, chosen, replayed, failedAgain, who, reason }: Progress) {
  return [
    html`<a href="/replays/${id}">Replay ${id}</a> <small>${ago(at)}</small>`,
    state(word),
    count(chosen),
    count(replayed),
    count(failedAgain),
    foreign(who),
    foreign(reason),
  ]
}

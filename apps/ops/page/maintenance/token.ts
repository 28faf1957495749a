// GitLab's access token: how long it is good, and a new one where that goes into a file. No token is ever shown here.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { z } from 'zod'
import { inWords } from '#shared/process/errors.ts'
import { daysLeft, knownToken } from '#sinks/gitlab/token/memory.ts'
import { LostAnswer } from '#sinks/gitlab/token/rotate.ts'
import { expirySchema, rotateToken } from '../../actions/token.ts'
import type { OpsContext } from '../../context.ts'
import { ownForm, type Visited, type Visitor } from '../door/visitor.ts'
import type { Html } from '../html/frame.ts'
import { reasonField, reasonSchema } from '../html/reason.ts'
import { ago, foreign } from '../html/words.ts'
import type { PageContext } from '../page-context.ts'
import { refusal, whatIsAway } from '../refusal.ts'

const formSchema = reasonSchema.extend({
  expires: z.preprocess((day) => (day === '' ? undefined : day), expirySchema),
})
const typed = 'type bin/ops token rotate where its GITLAB_TOKEN comes from'

export function token({ contextFor }: PageContext): Hono<Visited> {
  const app = new Hono<Visited>()
  app.post('/maintenance/token', async (c) => {
    const read = formSchema.safeParse(await c.req.parseBody())
    const context = contextFor(c.var.visitor.who)
    if (!read.success) return refusal(c, 400, 'Nothing has been changed', mistakeIn(read.error))
    if (context.config.gitlabTokenFile === undefined)
      return refusal(c, 400, 'Nothing has been changed', `The token is in no file, so the new one would be shown: ${typed}.`)
    try {
      const { expires: expiresAt, reason } = read.data
      const { file, problems } = await rotateToken(context, { expiresAt, reason, print: false, show: () => undefined })
      if (file === undefined) return lost(c, problems.join(' '))
      return problems.length === 0 ? c.redirect('/maintenance', 303) : refusal(c, 500, 'The new token is in its file', problems.join(' '))
    } catch (error) {
      if (error instanceof LostAnswer) return lost(c, error.message)
      if (whatIsAway(error) !== undefined) throw error
      return refusal(c, 400, 'Nothing has been changed', inWords(error))
    }
  })
  return app
}

function mistakeIn({ issues }: z.ZodError): string {
  const [first] = issues
  return first?.path[0] === 'expires' ? `Good until: ${first.message}.` : 'Say why: a reason is needed.'
}

// The old one is dead then, and a second try would do more harm.
function lost(c: Context<Visited>, reason: string) {
  const remedy = 'Do not try again: after a minute look at Doctor. If it says that the token is expired or revoked, make another in GitLab'
  return refusal(c, 500, 'The new token may be lost', `${reason} ${remedy}, and put it where GITLAB_TOKEN_FILE is.`)
}

/** What was found out last, and the form. */
export async function tokenPart(context: OpsContext, visitor: Visitor): Promise<Html> {
  const known = await knownToken(context)
  return html`${known ? facts(known) : html`<p class="none">It has not been checked yet.</p>`}${form(context, visitor)}`
}

function facts({ name, active, scopes, expiresAt, checkedAt }: NonNullable<Awaited<ReturnType<typeof knownToken>>>): Html {
  const until = expiresAt === undefined ? 'no expiry date' : `${expiresAt}, in ${daysLeft(expiresAt)} days`
  return html`<dl><dt>Name</dt><dd>${foreign(name)}</dd><dt>State</dt><dd>${active ? 'good' : 'expired or revoked'}</dd>
<dt>Expires</dt><dd>${until}</dd><dt>Scopes</dt><dd>${foreign(scopes.join(', '))}</dd><dt>Checked</dt><dd>${ago(checkedAt)}</dd></dl>`
}

function form({ config }: OpsContext, visitor: Visitor): Html {
  if (config.gitlabTokenFile === undefined)
    return html`<p>It is in no file (GITLAB_TOKEN_FILE), so a new one would be shown: to exchange it, ${typed}.</p>`
  if (!visitor.mayChange) return html``
  return html`<form class="card" method="post" action="/maintenance/token">${ownForm(visitor)}
<p>GitLab makes a new token, which goes to the file of GITLAB_TOKEN_FILE; the old one is dead at once.</p>
<div class="fields">
<div><label for="token-expires">Good until <small>else for a year</small></label>
<input id="token-expires" name="expires" type="date"></div>
${reasonField('token')}</div>
<p class="buttons"><button class="danger">Exchange the token</button></p></form>`
}

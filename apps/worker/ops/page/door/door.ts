// The way in: who may see the page, and as whom they act. With an OPS_TOKEN by the login form or `Authorization: Bearer`;
// without one everybody on this machine is the user that the worker runs as. Whatever changes something must come from
// a form that we gave to that very session.
import { randomBytes } from 'node:crypto'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { z } from 'zod'
import type { Log } from '#shared/log.ts'
import { madeOf, type Secret } from '#shared/secret.ts'
import { whoeverRunsThis } from '../../place.ts'
import { refusal } from '../refusal.ts'
import { countGuesses } from './guesses.ts'
import { loginForm } from './login.ts'
import { isFromOwnPage, isMeantForUs, ownPath } from './origin.ts'
import { isEqual } from './secret.ts'
import { openSessions, type Session, sessionKey } from './session.ts'
import type { Visited } from './visitor.ts'

const hours = 3_600_000
const loginSchema = z.object({ token: z.string(), who: z.string().trim(), form: z.string(), to: z.string().default('/') })
const nameShape = /^[^\p{C}]{1,60}$/u

/** Routes and checks that all come before the pages. `host` is where the listener listens. */
export function door({ host, token, log }: { host: string; token: Secret | undefined; log: Log }): Hono<Visited> {
  const ofToday = randomBytes(32).toString('hex')
  const key = token === undefined ? () => ofToday : madeOf(token, sessionKey)
  const sessions = openSessions({ key, name: 'ops', ms: 12 * hours })
  // The login form is for anybody, so its cookies are not signed with what is made from the token: that could be guessed at.
  const strangers = openSessions({ key: () => ofToday, name: 'ops-login', ms: 1 * hours })
  const guesses = countGuesses()
  const app = new Hono<Visited>()

  async function showLogin(c: Context, status: 200 | 401 | 403 | 429, message?: string, to = c.req.query('to')) {
    const stranger = (await strangers.read(c)) ?? (await strangers.open(c, ''))
    return c.html(loginForm({ form: strangers.formToken(stranger), to: ownPath(to), message }), status)
  }

  // A token is looked at here only, so that guesses count wherever they are made.
  function judge(given: string): 'right' | 'wrong' | number {
    const wait = guesses.wait()
    if (wait > 0) return wait
    if (token !== undefined && isEqual(given, token())) return 'right'
    guesses.wrong()
    log.warn('a wrong OPS_TOKEN')
    return 'wrong'
  }

  const enterByToken: MiddlewareHandler<Visited> = async function enterByToken(c, next) {
    const given = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (given === undefined || token === undefined) return await enterBySession(c, next)
    const verdict = judge(given)
    if (typeof verdict === 'number') return c.text('Too many wrong tokens.\n', 429, { 'retry-after': String(verdict) })
    if (verdict === 'wrong') return c.text('This is not the OPS_TOKEN.\n', 401, { 'www-authenticate': 'Bearer' })
    // No browser adds this header by itself, so no form needs to prove where it comes from.
    c.set('visitor', { who: 'bearer of the token', form: '' })
    return await next()
  }

  const enterBySession: MiddlewareHandler<Visited> = async function enterBySession(c, next) {
    const session = (await sessions.read(c)) ?? (token === undefined ? await sessions.open(c, whoeverRunsThis()) : undefined)
    if (!session && !isChange(c)) return c.redirect(`/login?to=${encodeURIComponent(pathOf(c))}`, 303)
    if (!session) return await showLogin(c, 403, 'You are not logged in, or not any more. Nothing has been changed.')
    const fault = await faultOf(c, session)
    if (fault !== undefined) return refusal(c, 403, 'Nothing has been changed', fault)
    c.set('visitor', { who: session.who, form: sessions.formToken(session), ...(token !== undefined && { canLeave: true }) })
    return await next()
  }

  async function faultOf(c: Context, session: Session): Promise<string | undefined> {
    if (!isChange(c)) return undefined
    if (!isFromOwnPage(c)) return 'This request does not come from this page.'
    const form = z.string().safeParse((await c.req.parseBody()).form)
    return form.success && sessions.isOwn(session, form.data)
      ? undefined
      : 'This form is out of date. Go back, load the page again, and try again.'
  }

  if (token === undefined)
    app.use(async function checkHost(c, next) {
      if (isMeantForUs(c, host)) return await next()
      return c.text('This page answers only under a name of the machine itself, such as 127.0.0.1.\n', 403)
    })
  else {
    app.get('/login', (c) => showLogin(c, 200))
    app.post('/login', async (c) => {
      const read = loginSchema.safeParse(await c.req.parseBody())
      const stranger = await strangers.read(c)
      if (!isFromOwnPage(c) || !read.success || !stranger || !strangers.isOwn(stranger, read.data.form))
        return await showLogin(c, 403, 'The form was out of date. Please try again.')
      const { who, to } = read.data
      if (!nameShape.test(who)) return await showLogin(c, 401, 'Your name is needed: 60 characters at most.', to)
      const verdict = judge(read.data.token)
      if (typeof verdict === 'number') {
        c.header('retry-after', String(verdict))
        return await showLogin(c, 429, `Too many wrong tokens. Try again in ${verdict} s.`, to)
      }
      if (verdict === 'wrong') return await showLogin(c, 401, 'This is not the token.', to)
      strangers.end(c)
      await sessions.open(c, who)
      return c.redirect(ownPath(to), 303)
    })
  }

  app.use(enterByToken)
  app.post('/logout', (c) => {
    sessions.end(c)
    return c.redirect('/login', 303)
  })
  return app
}

function isChange(c: Context): boolean {
  return c.req.method !== 'GET' && c.req.method !== 'HEAD'
}

function pathOf(c: Context): string {
  const { pathname, search } = new URL(c.req.url)
  return pathname + search
}

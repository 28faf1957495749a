// The way in: who may see the page, as whom they act, and whether they may. With an OPS_TOKEN by the login form or
// `Authorization: Bearer`; without one everybody on this machine is the user that the worker runs as. Whoever came with the
// OPS_READ_TOKEN may only look. Whatever changes something must come from a form that we gave to that very session.
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { z } from 'zod'
import type { Log } from '#shared/process/log.ts'
import type { Secret } from '#shared/process/secret.ts'
import { whoeverRunsThis } from '../../context.ts'
import { refusal } from '../refusal.ts'
import type { Ended } from './ended.ts'
import { type Entrance, entrancesOf } from './entrances.ts'
import { countGuesses } from './guesses.ts'
import { loginForm } from './login.ts'
import { checkHost, isFromOwnPage, ownPath } from './origin.ts'
import { isEqual } from './secret.ts'
import { openSessions, type Session } from './session.ts'
import type { Visited } from './visitor.ts'

const hourMs = 3_600_000
const loginSchema = z.object({ token: z.string(), who: z.string().trim(), form: z.string(), to: z.string().default('/') })
const leave = '/logout'
const looksOnly = 'With this token you can only look: changes need the OPS_TOKEN.'
const nameShape = /^[^\p{C}]{1,60}$/u

type Parts = { host: string; token: Secret | undefined; readToken: Secret | undefined; ended: Ended; log: Log }

/** Routes and checks that all come before the pages. `host` is where the listener listens. */
export function door({ host, token, readToken, ended, log }: Parts): Hono<Visited> {
  const ofToday = randomBytes(32).toString('hex')
  const entrances = entrancesOf({ token, readToken, ofToday })
  // Anybody gets the login form with its cookie. That is not signed with a key made from the token, since whoever has such a
  // cookie could try tokens on it.
  const strangers = openSessions({ key: () => ofToday, name: 'ops-login', ms: 1 * hourMs })
  const guesses = countGuesses()
  const app = new Hono<Visited>()

  async function showLogin(c: Context, status: 200 | 401 | 403, message?: string, to = c.req.query('to')) {
    const stranger = (await strangers.read(c)) ?? (await strangers.open(c, ''))
    return c.html(loginForm({ form: strangers.formToken(stranger), to: ownPath(to), message }), status)
  }

  // A token is looked at here only, so that guesses count wherever they are made.
  async function openedBy(c: Context, given: string): Promise<Entrance | undefined> {
    const address = getConnInfo(c).remote.address ?? ''
    const delayMs = guesses.delayMs(address)
    const [opened] = entrances.filter((entrance) => entrance.token !== undefined && isEqual(given, entrance.token()))
    const count = opened ? 0 : guesses.wrong(address)
    // Not a line for each: 1, 2, 4, 8 and so on.
    if (Number.isInteger(Math.log2(count))) log.warn({ address, count }, 'a wrong OPS_TOKEN')
    if (delayMs > 0) await pause(delayMs, undefined, { ref: false, signal: c.req.raw.signal }).catch(() => undefined)
    return opened
  }

  type Came = { entrance: Entrance; session: Session }

  async function sessionOf(c: Context): Promise<Came | undefined> {
    for (const entrance of entrances) {
      const session = await entrance.sessions.read(c)
      if (session && !(await ended.has(session))) return { entrance, session }
      if (entrance.token === undefined) return { entrance, session: await entrance.sessions.open(c, whoeverRunsThis()) }
    }
    return undefined
  }

  const enterByToken: MiddlewareHandler<Visited> = async function enterByToken(c, next) {
    const given = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (given === undefined || token === undefined) return await enterBySession(c, next)
    const opened = await openedBy(c, given)
    if (!opened) return c.text('This is not the OPS_TOKEN.\n', 401, { 'www-authenticate': 'Bearer' })
    if (isChange(c) && !opened.mayChange) return c.text(`Nothing has been changed. ${looksOnly}\n`, 403)
    // No browser adds this header by itself, so no form needs to prove where it comes from.
    c.set('visitor', { who: 'bearer of the token', form: '', mayChange: opened.mayChange })
    return await next()
  }

  const enterBySession: MiddlewareHandler<Visited> = async function enterBySession(c, next) {
    const came = await sessionOf(c)
    if (!came && !isChange(c)) return c.redirect(`/login?to=${encodeURIComponent(pathOf(c))}`, 303)
    if (!came) return await showLogin(c, 403, 'You are not logged in, or not any more. Nothing has been changed.')
    const fault = await faultOf(c, came)
    if (fault !== undefined) return refusal(c, 403, 'Nothing has been changed', fault)
    const { session, entrance } = came
    const { sessions, mayChange } = entrance
    c.set('visitor', { who: session.who, form: sessions.formToken(session), mayChange, ...(token !== undefined && { canLeave: true }) })
    return await next()
  }

  async function faultOf(c: Context, { session, entrance: { sessions, mayChange } }: Came): Promise<string | undefined> {
    if (!isChange(c)) return undefined
    if (!mayChange && c.req.path !== leave) return looksOnly
    if (!isFromOwnPage(c)) return 'This request was sent from another page.'
    const form = z.string().safeParse((await c.req.parseBody()).form)
    return form.success && sessions.isOwn(session, form.data)
      ? undefined
      : 'This form is out of date. Go back, load the page again, and try again.'
  }

  if (token === undefined) app.use(checkHost(host))
  else {
    app.get('/login', (c) => showLogin(c, 200))
    app.post('/login', async (c) => {
      const read = loginSchema.safeParse(await c.req.parseBody())
      const stranger = await strangers.read(c)
      if (!isFromOwnPage(c) || !read.success || !stranger || !strangers.isOwn(stranger, read.data.form))
        return await showLogin(c, 403, 'The form was out of date. Please try again.')
      const { who, to } = read.data
      if (!nameShape.test(who)) return await showLogin(c, 401, 'Your name is needed: 60 characters at most.', to)
      const opened = await openedBy(c, read.data.token)
      if (!opened) return await showLogin(c, 401, 'This is not the token.', to)
      strangers.end(c)
      for (const other of entrances) if (other !== opened && (await other.sessions.read(c))) other.sessions.end(c)
      await opened.sessions.open(c, who)
      return c.redirect(ownPath(to), 303)
    })
  }

  app.use(enterByToken)
  app.post(leave, async (c) => {
    for (const { sessions } of entrances) {
      const session = await sessions.read(c)
      if (session) await ended.add(session)
      sessions.end(c)
    }
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

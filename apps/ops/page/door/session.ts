// Who is looking, without any state in the server but who has left: a signed cookie carries the name and until when it is good, and
// every form carries a token that belongs to that cookie. A cookie counts for one port only: cookies know hosts, not
// ports, and several workers may listen on one host.
import { createHmac, randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie'
import { z } from 'zod'
import { readJson } from '#shared/process/json.ts'
import { isEqual, keyFrom } from './secret.ts'

export type Session = { id: string; who: string; until: number }

export type Sessions = {
  /** The session of a request; undefined when it has none, or one that is over or forged. */
  read: (c: Context) => Promise<Session | undefined>
  /** Opens a session for `who`, and hands out its cookie. */
  open: (c: Context, who: string) => Promise<Session>
  /** Takes the cookie away; who has a copy of it still has a session. */
  end: (c: Context) => void
  /** What the forms of a session carry. */
  formToken: (session: Session) => string
  /** Whether a form came from this session. */
  isOwn: (session: Session, formToken: string) => boolean
}

/** The key for the sessions of those who know `token`: with another token all sessions are over. */
export function sessionKey(token: string): string {
  return keyFrom(token, 'gitlab-webhooks operator session')
}

const sessionSchema = z.object({ id: z.string(), who: z.string(), until: z.number() })

/** Sessions signed with `key` as it is then, kept in a cookie called `name`; each is good for `ms`. */
export function openSessions({ key, name, ms }: { key: () => string; name: string; ms: number }): Sessions {
  const cookie = (c: Context) => `${name}-${/:(\d{1,5})$/.exec(c.req.header('host') ?? '')?.[1] ?? 'web'}`
  const formToken = ({ id }: Session) => createHmac('sha256', key()).update(`form ${id}`).digest('base64url')
  return {
    async read(c) {
      const signed = await getSignedCookie(c, key(), cookie(c))
      if (!signed) return undefined
      const session = sessionSchema.safeParse(readJson(Buffer.from(signed, 'base64url').toString()))
      return session.success && session.data.until > Date.now() ? session.data : undefined
    },
    async open(c, who) {
      const session = { id: randomBytes(16).toString('base64url'), who, until: Date.now() + ms }
      const value = Buffer.from(JSON.stringify(session)).toString('base64url')
      const secure = c.req.header('x-forwarded-proto') === 'https'
      await setSignedCookie(c, cookie(c), value, key(), { path: '/', httpOnly: true, sameSite: 'Strict', secure, maxAge: ms / 1000 })
      return session
    },
    end: (c) => void deleteCookie(c, cookie(c), { path: '/' }),
    formToken,
    isOwn: (session, token) => isEqual(token, formToken(session)),
  }
}

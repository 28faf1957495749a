// The ways in, the one that allows more first: what opens each, and the sessions of those who came by it.
import { madeOf, type Secret } from '#shared/process/secret.ts'
import { openSessions, type Sessions, sessionKey } from './session.ts'

/** Without a `token` it is open to everybody on this machine. */
export type Entrance = { token: Secret | undefined; sessions: Sessions; mayChange: boolean }

const ms = 12 * 3_600_000

/** `ofToday` signs the sessions where nothing else can: they are over when the process ends. */
export function entrancesOf({
  token,
  readToken,
  ofToday,
}: {
  token: Secret | undefined
  readToken: Secret | undefined
  ofToday: string
}): Entrance[] {
  if (token === undefined) return [{ token, sessions: openSessions({ key: () => ofToday, name: 'ops', ms }), mayChange: true }]
  const all = { token, sessions: openSessions({ key: madeOf(token, sessionKey), name: 'ops', ms }), mayChange: true }
  if (readToken === undefined) return [all]
  const toRead = openSessions({ key: madeOf(readToken, sessionKey), name: 'ops-read', ms })
  return [all, { token: readToken, sessions: toRead, mayChange: false }]
}

// Sessions that were ended by a logout. A cookie proves by itself that it is good, and until when. So a logout is remembered:
// here, and in Redis for the other workers and for after a restart, until the cookie would end anyway.
import { setTimeout as pause } from 'node:timers/promises'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import type { Redis } from '#shared/queue/redis.ts'
import type { Session } from './session.ts'

export type Ended = {
  /** Ends `session`: at once here, and elsewhere as soon as Redis takes it. Never rejects. */
  add: (session: Session) => Promise<void>
  /** Whether `session` was ended, as far as is known: while Redis is away only what was ended here. Never rejects. */
  has: (session: Session) => Promise<boolean>
}

const tryAgainMs = 2000

export function endedSessions({ redis, prefix, log }: { redis: Redis; prefix: string; log: Log }): Ended {
  const here = new Map<string, number>()
  const keyOf = ({ id }: Session) => `${keyPrefix(prefix)}:ops:ended:${id}`

  async function isWritten(session: Session): Promise<boolean> {
    try {
      await redis.set(keyOf(session), '', 'PX', Math.max(1, session.until - Date.now()))
      return true
    } catch (error) {
      log.warn({ who: session.who, reason: inWords(error) }, 'a session that was ended here may still be good at other workers')
      return false
    }
  }

  async function writeLater(session: Session): Promise<void> {
    do await pause(tryAgainMs, undefined, { ref: false })
    while (Date.now() < session.until && !(await isWritten(session)))
  }

  return {
    async add(session) {
      for (const [id, until] of here) if (until < Date.now()) here.delete(id)
      here.set(session.id, session.until)
      if (!(await isWritten(session))) void writeLater(session)
    },
    async has(session) {
      if (here.has(session.id)) return true
      return (await redis.exists(keyOf(session)).catch(() => 0)) > 0
    },
  }
}

// Keeps an eye on what GitLab sends: what is not as it is known is counted, warned about once, told by `doctor` through the
// presence of the worker, and stands in the reason of a sink that had nothing to do.
import { Counter } from 'prom-client'
import type { GitLabEvent } from '#shared/event/event.ts'
import { inSentence, type Unexpected, unexpectedIn, watchedFields } from '#shared/event/unexpected.ts'
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'
import { type Sinks, sinkEntries } from './open.ts'

/** `delivery` is the first one with it, `since` when that came, ISO 8601. */
export type Noted = Unexpected & { kind: string; delivery: string; since: string }

export type Watch = {
  /** What is unexpected in `event`, which is counted the first time it is asked for. */
  look: (event: GitLabEvent) => Unexpected[]
  /** What was met since the start, at most forty. */
  noted: () => Noted[]
}

const most = 40

export function watchUnexpected({ log, metrics }: { log: Log; metrics: Registry }): Watch {
  const known = new Map<string, Noted>()
  const seen = new WeakMap<GitLabEvent, Unexpected[]>()
  const counter = new Counter({
    name: 'gitlab_webhooks_unexpected_total',
    help: 'Events in which a field that is read was not as GitLab is known to send it; object_kind for a kind never seen.',
    labelNames: ['field'],
    registers: [metrics],
  })
  // An increase from nothing would not be seen.
  for (const field of watchedFields) counter.inc({ field }, 0)

  function note(one: Unexpected, { kind, delivery, receivedAt: since }: GitLabEvent): void {
    counter.inc({ field: one.field })
    const key = JSON.stringify([one.field, one.is])
    if (known.has(key) || known.size >= most) return
    known.set(key, { ...one, kind, delivery, since })
    log.warn({ ...one, kind, delivery }, 'GitLab sends what is not known of it')
  }

  return {
    look(event) {
      const before = seen.get(event)
      if (before) return before
      const found = unexpectedIn(event.body)
      seen.set(event, found)
      for (const one of found) note(one, event)
      return found
    },
    noted: () => [...known.values()],
  }
}

/** `sinks`, whose reasons to do nothing say also what was unexpected in the event. */
export function withUnexpected(sinks: Sinks, { look }: Watch): Sinks {
  return Object.fromEntries(
    sinkEntries(sinks).map(([name, sink]) => [
      name,
      {
        ...sink,
        plan(event: GitLabEvent) {
          const unexpected = look(event)
          const planned = sink.plan(event)
          return Array.isArray(planned) || unexpected.length === 0 ? planned : { nothing: `${planned.nothing} (${inSentence(unexpected)})` }
        },
      },
    ]),
  )
}

// What all sinks would do about an event, without anybody being asked.

import { Redis } from 'ioredis'
import { pino } from 'pino'
import type { Planned } from '#shared/event/effect.ts'
import { type GitLabEvent, parseEvent } from '#shared/event/event.ts'
import { readEnvironment } from '#shared/process/env.ts'
import { openMetrics } from '#shared/process/metrics.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { openSinks, sinkEntries } from '#sinks/open.ts'
import type { SinkName } from '#sinks/registry.ts'
import { configSchema } from '../../apps/worker/config.ts'

export const phabricatorUrl = 'https://phabricator.example'

const environment = {
  PHABRICATOR_URL: phabricatorUrl,
  PHABRICATOR_TOKEN: 'api-none',
  GITLAB_URL: 'https://gitlab.example',
  GITLAB_TOKEN: 'glpat-none',
  REVIEWERS_API_URL: 'https://wiki.example/w/api.php',
  DATABASE_URL: 'mysql://nobody@127.0.0.1/none',
}

// Connects to nothing: it is never asked.
const relay = openRelay({ redis: new Redis({ lazyConnect: true }), prefix: 'none' })

/** The event that a body means when it is delivered now. */
export function eventOf(body: object | string, receivedAt = new Date().toISOString()): GitLabEvent {
  return parseEvent({ id: 'one', receivedAt, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) })
}

/** What each sink plans for the event of `body`. */
export function plansOf(body: object | string, more: Record<string, string> = {}): Map<SinkName, Planned> {
  const config = readEnvironment(configSchema, { ...environment, ...more })
  const sinks = openSinks({
    enabled: config.sinksEnabled,
    settings: config.settings,
    relay,
    publishedAt: () => Promise.resolve(undefined),
    redact: (text) => text,
    metrics: openMetrics(),
    log: pino({ level: 'silent' }),
  })
  const event = eventOf(body)
  return new Map(sinkEntries(sinks).map(([name, sink]) => [name, sink.plan(event)]))
}

/** The same in short: what the effects are about, such as a task, or the reason why there are none. */
export function inShort(plans: Map<SinkName, Planned>): Record<string, string> {
  const short = (planned: Planned) => (Array.isArray(planned) ? planned.map(({ about }) => about).join(' ') : `nothing: ${planned.nothing}`)
  return Object.fromEntries([...plans].map(([name, planned]) => [name, short(planned)]))
}

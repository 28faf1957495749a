// The sinks as the operator's commands have them: they plan as the worker's do, and look, but change nothing anywhere.
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { publishedAt } from '#shared/journal/feed.ts'
import { redactor } from '#shared/process/log.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { openSinks, type Sinks } from '#sinks/open.ts'
import { sinkNames } from '#sinks/registry.ts'
import { pretended } from '#sinks/settings.ts'
import type { OpsContext } from './context.ts'

/** All sinks of `context`. One that misses a variable can plan, but must not be asked to perform. */
export function drySinks({ config, redis, prefix, database }: OpsContext): Sinks {
  return openSinks({
    enabled: new Set(sinkNames),
    settings: pretended(config.settings),
    relay: openRelay({ redis, prefix, keep: config.feedKeep }),
    publishedAt: publishedAt(database),
    redact: redactor(config.secrets.values()),
    metrics: new Registry(),
    log: pino({ level: 'silent' }),
  })
}

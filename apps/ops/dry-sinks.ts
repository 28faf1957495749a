// The sinks as the operator's commands have them: they plan as the worker's do, and look, but change nothing anywhere.
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { publishedAt } from '#shared/journal/published.ts'
import { redactor } from '#shared/process/log.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { openSinks, type Sinks } from '#sinks/registry.ts'
import type { Place } from './context.ts'

const none = () => ''

/** All sinks of `place`, each in a dry run. Without a token of its own a sink can plan, but must not be asked to perform. */
export function drySinks({ config, redis, prefix, database }: Place): Sinks {
  const { phabricatorToken = none, gitlabToken = none } = config
  return openSinks({
    config: { ...config, phabricatorToken, gitlabToken, sinksEnabled: new Set(['phabricator', 'gitlab-mentions', 'sse']), dryRun: true },
    relay: openRelay({ redis, prefix, keep: config.feedKeep }),
    publishedAt: publishedAt(database),
    redact: redactor(config.secrets.values()),
    metrics: new Registry(),
    log: pino({ level: 'silent' }),
  })
}

// The table of sinks. A new one is a file, a line here, and a test.
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'
import { type SinkName, sinkNames } from '#shared/queue/queues.ts'
import type { Relay } from '#shared/queue/relay.ts'
import { type PublishedAt, sse } from '#sinks/feed/sink.ts'
import { openGitLab } from '#sinks/gitlab/gitlab.ts'
import { reporter } from '#sinks/gitlab-mentions/reviewers/report.ts'
import { gitlabMentions } from '#sinks/gitlab-mentions/sink.ts'
import { openWiki } from '#sinks/gitlab-mentions/wiki.ts'
import { commits } from '#sinks/phabricator/commits.ts'
import { openConduit } from '#sinks/phabricator/conduit.ts'
import { phabricator } from '#sinks/phabricator/sink.ts'
import type { Config } from '../../apps/worker/config.ts'
import type { Sink } from './sink.ts'

export type Sinks = Partial<Record<SinkName, Sink>>

type Parts = { config: Config; relay: Relay; publishedAt: PublishedAt; redact: (text: string) => string; metrics: Registry; log: Log }

/** The sinks that the configuration enables, over the remotes they need. */
export function openSinks({ config, relay, publishedAt, redact, metrics, log }: Parts): Sinks {
  const { sinksEnabled, gitlabUrl, phabricatorUrl, dryRun } = config
  const gitlab = config.gitlabToken === undefined ? undefined : openGitLab({ url: gitlabUrl, token: config.gitlabToken, redact })
  const table: Sinks = {}
  if (sinksEnabled.has('phabricator') && config.phabricatorToken !== undefined) {
    const conduit = openConduit({ url: phabricatorUrl, token: config.phabricatorToken, redact })
    table.phabricator = phabricator({ conduit, url: phabricatorUrl, gitlabUrl, dryRun })
    if (gitlab) table.commits = commits({ gitlab, gitlabUrl, phabricatorUrl })
  }
  if (sinksEnabled.has('gitlab-mentions') && gitlab) {
    const report = reporter({ log, metrics })
    const wiki = openWiki({ apiUrl: config.reviewersApiUrl, page: config.reviewersPage, maxAge: config.reviewersMaxAge, report, log })
    table['gitlab-mentions'] = gitlabMentions({ gitlab, wiki, mentionDrafts: config.mentionDrafts, dryRun, report, log })
  }
  if (sinksEnabled.has('sse')) table.sse = sse({ relay, publishedAt, feedPrivate: config.feedPrivate })
  return table
}

/** The enabled sinks with their names. */
export function sinkEntries(sinks: Sinks): Array<[SinkName, Sink]> {
  return sinkNames.flatMap((name) => {
    const sink = sinks[name]
    return sink ? [[name, sink]] : []
  })
}

// The table of sinks. A new one is a file, a line here, and a test.
import type { Log } from '#shared/log.ts'
import type { Registry } from '#shared/metrics.ts'
import { type SinkName, sinkNames } from '#shared/queues.ts'
import type { Relay } from '#shared/relay.ts'
import type { Config } from '../config.ts'
import { openConduit } from '../remotes/conduit.ts'
import { openGitLab } from '../remotes/gitlab.ts'
import { openWiki } from '../remotes/wiki.ts'
import { reporter } from '../reviewers/report.ts'
import { commits } from './commits.ts'
import { gitlabMentions } from './gitlab-mentions.ts'
import { phabricator } from './phabricator.ts'
import type { Sink } from './sink.ts'
import { type PublishedAt, sse } from './sse.ts'

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

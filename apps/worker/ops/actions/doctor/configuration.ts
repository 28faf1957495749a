// Whether the worker would start with the configuration that this command has.
import type { Place } from '../../place.ts'
import { type Finding, ok, warning, wrong } from './finding.ts'

const id = 'configuration'

export function checkConfiguration({ config }: Place): Finding[] {
  const { sinksEnabled, phabricatorToken, gitlabToken, dryRun } = config
  const findings: Finding[] = []
  if (sinksEnabled.has('phabricator') && !phabricatorToken)
    findings.push(
      wrong(id, 'PHABRICATOR_TOKEN is not set, and the sink phabricator needs it', 'set it, or leave the sink out of SINKS_ENABLED'),
    )
  if (sinksEnabled.has('gitlab-mentions') && !gitlabToken)
    findings.push(
      wrong(id, 'GITLAB_TOKEN is not set, and the sink gitlab-mentions needs it', 'set it, or leave the sink out of SINKS_ENABLED'),
    )
  if (sinksEnabled.has('phabricator') && phabricatorToken && !gitlabToken)
    findings.push(warning(id, 'without GITLAB_TOKEN no commit messages are read', 'set it, and tasks named in them are commented on, too'))
  if (dryRun) findings.push(warning(id, 'DRY_RUN is set: nothing is commented or mentioned', 'unset it when you are ready'))
  return findings.length > 0 ? findings : [ok(id, `sinks: ${[...sinksEnabled].join(', ')}`)]
}

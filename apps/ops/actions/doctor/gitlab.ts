// Whose account the token for GitLab belongs to, what it may do, and how long it lives.
import { redactor } from '#shared/process/log.ts'
import { type Finding, notLooked, ok, warning, wrong } from '#sinks/finding.ts'
import { openGitLab } from '#sinks/gitlab/gitlab.ts'
import { daysLeft } from '#sinks/gitlab/token/memory.ts'
import { tokenFacts } from '#sinks/gitlab/token.ts'
import type { OpsContext } from '../../context.ts'
import { gitlabOf } from '../token.ts'

const id = 'gitlab'
const soonDays = 30
const renew = 'bin/ops token rotate --reason …'

export async function checkGitLab(context: OpsContext, signal: AbortSignal): Promise<Finding[]> {
  const { gitlabUrl: url, gitlabToken: token } = context.config
  if (!token) return [notLooked(id, 'GITLAB_TOKEN is not set', 'run this where the worker runs')]
  const { username, active } = await openGitLab({ url, token, redact: redactor([token()]) }).me(signal)
  if (!active) return [wrong(id, `the account ${username} is blocked`, 'have an administrator of GitLab unblock it')]
  const { scopes, expiresAt } = await tokenFacts(gitlabOf(context), signal)
  if (!scopes.includes('api'))
    return [
      wrong(
        id,
        `the token of ${username} has the scopes ${scopes.join(', ')}, not api: it cannot write notes`,
        'make one with the scope api',
      ),
    ]
  if (expiresAt === undefined) return [ok(id, `${username} at ${url}, scopes ${scopes.join(', ')}, the token has no expiry date`)]
  const days = daysLeft(expiresAt)
  const message = `${username} at ${url}, scopes ${scopes.join(', ')}, the token expires on ${expiresAt}, in ${days} days`
  return [days <= soonDays ? warning(id, message, renew) : ok(id, message)]
}

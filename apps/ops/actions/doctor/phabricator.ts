// Whose account the token for Phabricator belongs to, and whether it may be used.
import { redactor } from '#shared/process/log.ts'
import { openConduit } from '#sinks/phabricator/conduit.ts'
import type { Place } from '../../context.ts'
import { type Finding, notLooked, ok, warning, wrong } from './finding.ts'

const id = 'phabricator'

export async function checkPhabricator({ config }: Place, signal: AbortSignal): Promise<Finding[]> {
  const { phabricatorUrl: url, phabricatorToken: token } = config
  if (!token) return [notLooked(id, 'PHABRICATOR_TOKEN is not set', 'run this where the worker runs')]
  const { userName, roles } = await openConduit({ url, token, redact: redactor([token()]) }).whoami(signal)
  if (roles.includes('disabled') || !roles.includes('activated'))
    return [wrong(id, `the account ${userName} is not activated`, 'have an administrator of Phabricator activate it')]
  if (!roles.includes('agent')) {
    const message = `the token belongs to ${userName}, a person: comments come in that name, and subscribe it to every task`
    return [warning(id, message, 'use the token of a bot account')]
  }
  return [ok(id, `${userName} at ${url}; whether Phabricator is read-only cannot be seen before something is written`)]
}

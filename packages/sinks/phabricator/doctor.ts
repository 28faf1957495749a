// Whose account the token for Phabricator belongs to, and whether it may be used.
import { redactor } from '#shared/process/log.ts'
import { type Finding, notLooked, ok, warning, wrong } from '#sinks/finding.ts'
import type { SettingsOf } from '#sinks/variables.ts'
import { openConduit } from './conduit.ts'
import type { phabricatorVariables } from './variables.ts'

const id = 'phabricator'

/** Asks Phabricator about our account. Throws what Conduit does. */
export async function checkPhabricator(
  { PHABRICATOR_URL: url, PHABRICATOR_TOKEN: token }: Partial<SettingsOf<typeof phabricatorVariables>>,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (!url || !token) return [notLooked(id, 'PHABRICATOR_TOKEN is not set', 'run this where the worker runs')]
  const { userName, roles } = await openConduit({ url, token, redact: redactor([token()]) }).whoami(signal)
  if (roles.includes('disabled') || !roles.includes('activated'))
    return [wrong(id, `the account ${userName} is not activated`, 'have an administrator of Phabricator activate it')]
  if (!roles.includes('agent')) {
    const message = `the token belongs to ${userName}, a person: comments come in that name, and subscribe it to every task`
    return [warning(id, message, 'use the token of a bot account')]
  }
  return [ok(id, `${userName} at ${url}; whether Phabricator is read-only cannot be seen before something is written`)]
}
